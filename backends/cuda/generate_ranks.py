"""Ranks, as statements of a coupled kernel's text."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from ..emit import filled, name
from ..kernel import Reduce
from . import reductions as text
from .generate_values import Filling, Reductions, Values, element, parsed
from .reductions import KEYS


@dataclass(frozen=True)
class Ranks:
    values: Values

    def of(self, reductions: Reductions) -> list[Reduce]:
        """Those of some reductions that are ranks."""
        return [r for r in reductions if isinstance(r, Reduce) and r.operation == "rank"]

    def shared(self, reductions: Reductions) -> list[ast.stmt]:
        """The shared arrays in which a block sorts, which are also those in which it folds."""
        kinds = dict.fromkeys(map(self.values.kind, self.of(reductions)))
        return [statement for kind in kinds for slot in (0, 1) for statement in self.values.shared(kind, slot)]

    def tile(self, rank: Reduce) -> list[ast.stmt]:
        """The places that the values of a tile have among one another, and the values in that order."""
        run = self.values.layout.threads // self.values.layout.fan
        kind = self.values.kind(rank)
        sorted_ = name(self.values.space(kind, 1))
        placed = self.placed(rank, sorted_, "thread", str(run.bit_length() - 1), str(self.values.layout.threads))
        spaces: Filling = {"SPACE": name(self.values.space(kind, 0)), "SORTED": sorted_, "RUN": run}
        return filled(text.TILE_RANKED, {"PLACED": placed}, **spaces, **self._names(rank))

    def merged(self, rank: Reduce) -> list[ast.stmt]:
        loaded = self.values.load(self.values.arrays[rank.of], "i")
        return filled(text.MERGED, {"PLACED": self.placed_among_runs(rank)}, LOADED=loaded, **self._names(rank))

    def placed_among_runs(self, rank: Reduce) -> list[ast.stmt]:
        place = KEYS[self.values.kind(rank)]
        row = element(f"{place}[{self.values.room.first[place, rank.name]} + 2 * (step & 1) + side]")
        return self.placed(rank, row, "i", "bits", "n")

    def placed(self, rank: Reduce, keys: ast.expr, place: str, bits: str, limit: str) -> list[ast.stmt]:
        """The position of a value among sorted runs of `keys`, given that in its own run."""
        fan, kind = self.values.layout.fan, self.values.kind(rank)
        sizes: Filling = {
            "BITS": element(bits),
            "LIMIT": element(limit),
            "PLACE": element(place),
            "VALUE": name(self.values.value(rank)),
        }
        spelled = self.values.scope.spelling
        pieces: dict[str, list[ast.stmt]] = {"NONE_BEFORE": [], "READ": [], "COMPARE": [], "ALL_BEFORE": []}
        for run in range(fan):
            other = spelled(f"@@other {kind.value} {run}")
            begin, length, before = (spelled(f"@@{what} {run}") for what in ("begin", "length", "before"))
            at = element(f"int32({begin} + min(int32({before} + width), {length}) - 1)")
            names: Filling = {"OTHER": name(other), "BEGIN": name(begin), "LENGTH": name(length), "BEFORE": name(before)}
            pieces["NONE_BEFORE"] += filled(text.NONE_BEFORE, {}, NUMBER=run, **names, **sizes)
            pieces["READ"] += filled(text.READ, {}, KEY=_at(keys, at), **names)
            pieces["COMPARE"] += filled(text.COMPARE, {}, NUMBER=run, **names, **sizes)
            pieces["ALL_BEFORE"] += parsed(f"position += {before}")
        return filled(text.PLACED, pieces, FAN_BITS=fan.bit_length() - 1, **sizes)

    def _names(self, rank: Reduce) -> Filling:
        place = KEYS[self.values.kind(rank)]
        return {
            "KEYS": name(place),
            "ROW": self.values.room.first[place, rank.name],
            "VALUE": name(self.values.value(rank)),
            "OTHER": name(self.values.scope.spelling(f"@@other {self.values.kind(rank).value}")),
            "TARGET": self.values.place(self.values.arrays[rank.name], "i"),
            **self._sizes(),
        }

    def _sizes(self) -> dict[str, int]:
        threads, fan = self.values.layout.threads, self.values.layout.fan
        return {"THREADS": threads, "THREAD_BITS": threads.bit_length() - 1, "FAN_BITS": fan.bit_length() - 1}

    def across(self, reductions: Reductions) -> list[ast.stmt]:
        """Behind a barrier: all rounds but the last."""
        merges = [statement for rank in self.of(reductions) for statement in self.merged(rank)]
        return filled(text.RANKED, {"MERGES": merges}, **self._sizes()) if merges else []

    def settled(self, rank: Reduce) -> list[ast.stmt]:
        """The last round of a neuron, with its rank in the register of the array and in its place."""
        pieces = {"PLACED": self.placed_among_runs(rank)}
        register = name(self.values.scope.spelling(rank.name))
        return [*self.values.of(rank), *filled(text.SETTLED, pieces, REGISTER=register, **self._names(rank))]


def _at(values: ast.expr, place: ast.expr) -> ast.expr:
    """An element of an array, or of a row of one."""
    if isinstance(values, ast.Subscript):
        return ast.Subscript(values.value, ast.Tuple([values.slice, place], ast.Load()), ast.Load())
    return ast.Subscript(values, place, ast.Load())

"""The reductions and products of a coupled kernel as statements of its text, from the templates in `cuda_reductions`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import cuda_reductions as text
from .cuda_reductions import KEYS, PARTS, Layout, Room, kind_folded
from .emit import CONVERT, Scope, assign, call, filled, name, number
from .kernel import Array, Constant, Kind, MatrixProduct, Reduce

TYPES = {Kind.REAL: "real", Kind.DOUBLE: "double", Kind.INTEGER: "integer"}
Filling = dict[str, ast.expr | int]  # of a template
PAIRED = {"largest": "maximum", "smallest": "minimum"}


@dataclass(frozen=True)
class Across:
    """`load(array, index)` is the value of an array of the kernel, `place(array, index)` where it stands."""

    layout: Layout
    room: Room
    scope: Scope
    arrays: dict[str, Array]
    load: Callable[[Array, str], ast.expr]
    place: Callable[[Array, str], ast.expr]

    # ---- names ----------------------------------------------------------------------------------

    def value(self, reduction: Reduce) -> str:
        """The register of a neuron's value."""
        return self.scope.spelling(f"@@value {reduction.name}")

    def chosen(self, reduction: Reduce) -> str:
        """The register of the neuron that one_of has chosen."""
        return self.scope.spelling(f"@@chosen {reduction.name}")

    def space(self, kind: Kind, slot: int) -> str:
        """The shared array in which a block folds."""
        return self.scope.spelling(f"@@space {kind.value} {slot}")

    def kind(self, reduction: Reduce) -> Kind:
        return kind_folded(reduction, self.arrays[reduction.of])

    def parts(self, reduction: Reduce, kind: Kind, at: str) -> ast.expr:
        return _element(f"{PARTS[kind]}[{self.room.first[PARTS[kind], reduction.name]} + (step & 1), {at}]")

    # ---- declarations -----------------------------------------------------------------------------

    def spaces(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """The shared arrays that these need."""
        wanted: dict[tuple[Kind, int], None] = {}
        for batch in self.batches(reductions):
            for slot, reduction in enumerate(batch):
                wanted[self.kind(reduction), slot] = None
                if reduction.operation == "one_of":
                    wanted[Kind.INTEGER, slot] = None
        for rank in _ranks(reductions):
            wanted |= {(self.kind(rank), 0): None, (self.kind(rank), 1): None}
        made = [
            _parsed(f"{self.space(kind, slot)} = cuda.shared.array({self.layout.threads}, {TYPES[kind]})")
            for kind, slot in wanted
        ]
        if any(isinstance(reduction, MatrixProduct) for reduction in reductions):
            made += [_parsed(f"factors = cuda.shared.array({self.span}, real)")]
            made += [_parsed(f"terms = cuda.shared.array({self.span * self.layout.rows}, real)")]
        return [statement for statements in made for statement in statements]

    def nothing(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """What the registers of results hold before the first step."""
        made: list[ast.stmt] = []
        for reduction in filter(text.folded, reductions):
            assert isinstance(reduction, Reduce)
            if reduction.operation == "one_of":
                made.append(assign(self.chosen(reduction), call("integer", number(-1))))
            else:
                zero = number(False) if reduction.kind is Kind.BOOLEAN else call(TYPES[reduction.kind], number(0))
                made.append(assign(self.scope.spelling(reduction.name), zero))
        return made

    # ---- a neuron's value -------------------------------------------------------------------------

    def identity(self, reduction: Reduce) -> ast.expr:
        """What changes nothing; of ranks what stands last."""
        kind, operation = self.kind(reduction), reduction.operation
        if kind is Kind.INTEGER:
            least = ast.UnaryOp(ast.Invert(), number(text.LARGEST_INTEGER))
            value: ast.expr = {"largest": least, "rank": least, "smallest": number(text.LARGEST_INTEGER)}.get(
                operation, number(0)
            )
        else:
            value = {
                "largest": ast.UnaryOp(ast.USub(), name("inf")),
                "smallest": name("inf"),
                "rank": name("nan"),
                "one_of": number(-1.0),
            }.get(operation, number(-0.0))
        return call(TYPES[kind], value)

    def none(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """The values of a thread that has no neuron."""
        return [assign(self.value(r), self.identity(r)) for r in reductions if isinstance(r, Reduce)]

    def values(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """The values of a neuron, from the registers of its arrays."""
        return [statement for r in reductions if isinstance(r, Reduce) for statement in self._value(r)]

    def _value(self, reduction: Reduce) -> list[ast.stmt]:
        of, value = self.arrays[reduction.of], self.value(reduction)
        register = name(self.scope.spelling(of.name))
        holds = register if of.kind is Kind.BOOLEAN else CONVERT[Kind.BOOLEAN](register)
        if reduction.operation == "one_of":
            self.scope.called.add("uniform_f64")
            drawn = call("uniform_f64", name("i"), name("step"), number(reduction.stream), name("k0"), name("k1"))
            return [ast.If(holds, [assign(value, drawn)], [])]
        if reduction.operation in ("any", "count"):
            return [assign(value, call("integer", call("select", holds, number(1), number(0))))]
        if of.kind is Kind.BOOLEAN:
            register = call("select", register, *[self.scope.emit(Constant(stored)) for stored in (1.0, 0.0)])
        return [assign(value, register)]

    # ---- folds ------------------------------------------------------------------------------------

    def batches(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[list[Reduce]]:
        """The reductions that are folded, some side by side."""
        found = [r for r in reductions if isinstance(r, Reduce) and text.folded(r)]
        return [found[first : first + text.TOGETHER] for first in range(0, len(found), text.TOGETHER)]

    def tile(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """What a block makes of the values of a tile."""
        made: list[ast.stmt] = []
        for batch in self.batches(reductions):
            put, keep = [], []
            for slot, r in enumerate(batch):
                put.append(_set(self.at(r, slot, "thread"), name(self.value(r))))
                keep.append(_set(self.parts(r, self.kind(r), "tile"), self.at(r, slot, "0")))
                if r.operation == "one_of":
                    put.append(_set(self.who(slot, "thread"), name("i")))
                    keep.append(_set(self.parts(r, Kind.INTEGER, "tile"), self.who(slot, "0")))
            made += filled(text.TILE_FOLDED, {"PUT": put, "TREE": self.tree(batch), "KEEP": keep})
        for rank in _ranks(reductions):
            made += self.ranked(rank)
        return made

    def at(self, reduction: Reduce, slot: int, place: str) -> ast.expr:
        return _element(f"{self.space(self.kind(reduction), slot)}[{place}]")

    def who(self, slot: int, place: str) -> ast.expr:
        return _element(f"{self.space(Kind.INTEGER, slot)}[{place}]")

    def tree(self, batch: list[Reduce]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            if r.operation == "one_of":
                spaces: Filling = {"SPACE": name(self.space(Kind.DOUBLE, slot)), "WHO": name(self.space(Kind.INTEGER, slot))}
                made += filled(text.ONE_COMBINED, {}, **spaces)
            else:
                four = [self.at(r, slot, place) for place in ("place", "place + width", "place + 2 * width", "place + 3 * width")]
                made.append(_set(four[0], _four(r.operation, four)))
        return filled(text.TREE, {"COMBINE": made})

    def gather(self, batch: list[Reduce]) -> list[ast.stmt]:
        """Each thread folds four parts."""
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            if r.operation == "one_of":
                rows = {"ROW": self.room.first["double_parts", r.name], "WHO_ROW": self.room.first["whole_parts", r.name]}
                names = {"PARTS": name("double_parts"), "WHO_PARTS": name("whole_parts")}
                spaces: Filling = {"SPACE": name(self.space(Kind.DOUBLE, slot)), "WHO": name(self.space(Kind.INTEGER, slot))}
                made += filled(text.ONE_GATHERED, {}, **rows, **names, **spaces)
            else:
                four = [
                    ast.IfExp(_element(f"part + {q} < many"), self.parts(r, self.kind(r), f"at + part + {q}"), self.identity(r))
                    for q in range(4)
                ]
                made.append(_set(self.at(r, slot, "thread"), _four(r.operation, four)))
        return made

    def results(self, batch: list[Reduce]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for slot, r in enumerate(batch):
            found = self.at(r, slot, "0")
            if r.operation == "one_of":
                made.append(assign(self.chosen(r), self.who(slot, "0")))
                continue
            if r.operation == "mean":
                found = ast.BinOp(call("real", found), ast.Div(), call("real", name("n")))
            made.append(assign(self.scope.spelling(r.name), CONVERT[r.kind](found)))
        return made

    def across(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """Behind a barrier: the results in registers of every thread; the ranks but for their last round; the products."""
        made: list[ast.stmt] = []
        for batch in self.batches(reductions):
            keep = []
            for slot, r in enumerate(batch):
                keep.append(_set(self.parts(r, self.kind(r), "at + many + group"), self.at(r, slot, "0")))
                if r.operation == "one_of":
                    keep.append(_set(self.parts(r, Kind.INTEGER, "at + many + group"), self.who(slot, "0")))
            pieces = {"GATHER": self.gather(batch), "TREE": self.tree(batch), "KEEP": keep, "RESULT": self.results(batch)}
            made += filled(text.FOLDED, pieces, THREADS=self.layout.threads)
        if ranks := _ranks(reductions):
            merges = [statement for rank in ranks for statement in self.merged(rank)]
            made += filled(text.RANKED, {"MERGES": merges}, **self._sizes())
        products = [r for r in reductions if isinstance(r, MatrixProduct)]
        made += [statement for product in products for statement in self.product(product)]
        return made + (_parsed("grid.sync()") if products else [])

    # ---- ranks ------------------------------------------------------------------------------------

    def ranked(self, rank: Reduce) -> list[ast.stmt]:
        """The places that the values of a tile have among one another, and the values in that order."""
        run = self.layout.threads // self.layout.fan
        kind = self.kind(rank)
        sorted_ = name(self.space(kind, 1))
        placed = self.placed(rank, sorted_, "thread", str(run.bit_length() - 1), str(self.layout.threads))
        spaces: Filling = {"SPACE": name(self.space(kind, 0)), "SORTED": sorted_, "RUN": run}
        return filled(text.TILE_RANKED, {"PLACED": placed}, **spaces, **self._names(rank))

    def merged(self, rank: Reduce) -> list[ast.stmt]:
        loaded = self.load(self.arrays[rank.of], "i")
        return filled(text.MERGED, {"PLACED": self.placed_among_runs(rank)}, LOADED=loaded, **self._names(rank))

    def placed_among_runs(self, rank: Reduce) -> list[ast.stmt]:
        place = KEYS[self.kind(rank)]
        row = _element(f"{place}[{self.room.first[place, rank.name]} + 2 * (step & 1) + side]")
        return self.placed(rank, row, "i", "bits", "n")

    def placed(self, rank: Reduce, keys: ast.expr, place: str, bits: str, limit: str) -> list[ast.stmt]:
        """The position of a value among sorted runs of `keys`, given that in its own run."""
        fan, kind = self.layout.fan, self.kind(rank)
        sizes: Filling = {
            "BITS": _element(bits),
            "LIMIT": _element(limit),
            "PLACE": _element(place),
            "VALUE": name(self.value(rank)),
        }
        found = [self.scope.spelling(f"@@before {run}") for run in range(fan)]
        pieces: dict[str, list[ast.stmt]] = {
            "BEFORE_NONE": [assign(before, call("integer", number(0))) for before in found],
            "READ": [],
            "COMPARE": [],
            "BEFORE_ALL": _parsed(f"position += {' + '.join(found)}"),
        }
        for run, before in enumerate(found):
            begin = f"(first_run + {run} << {bits})"
            at = _element(f"{begin} + min({before} + width, 1 << {bits}, {limit} - {begin}) - 1")
            names: Filling = {
                "OTHER": name(self.scope.spelling(f"@@other {kind.value} {run}")),
                "BEFORE": name(before),
                "NUMBER": run,
            }
            pieces["READ"] += filled(text.READ, {}, KEY=_at(keys, at), **names)
            pieces["COMPARE"] += filled(text.COMPARE, {}, **names, **sizes)
        return filled(text.PLACED, pieces, FAN_BITS=fan.bit_length() - 1, **sizes)

    def _names(self, rank: Reduce) -> Filling:
        place = KEYS[self.kind(rank)]
        return {
            "KEYS": name(place),
            "ROW": self.room.first[place, rank.name],
            "VALUE": name(self.value(rank)),
            "OTHER": name(self.scope.spelling(f"@@other {self.kind(rank).value}")),
            "TARGET": self.place(self.arrays[rank.name], "i"),
            **self._sizes(),
        }

    def _sizes(self) -> dict[str, int]:
        threads, fan = self.layout.threads, self.layout.fan
        return {"THREADS": threads, "THREAD_BITS": threads.bit_length() - 1, "FAN_BITS": fan.bit_length() - 1}

    def settled(self, reductions: Sequence[Reduce | MatrixProduct]) -> list[ast.stmt]:
        """The arrays that a reduction fills, to the registers of a neuron and to their places."""
        made: list[ast.stmt] = []
        for r in reductions:
            if not isinstance(r, Reduce) or r.operation not in ("rank", "one_of"):
                continue
            target = self.arrays[r.name]
            register = self.scope.spelling(r.name)
            if r.operation == "rank":
                made += self._value(r)
                pieces = {"PLACED": self.placed_among_runs(r)}
                made += filled(text.SETTLED, pieces, REGISTER=name(register), **self._names(r))
            else:
                made.append(assign(register, ast.Compare(name(self.chosen(r)), [ast.Eq()], [name("i")])))
                stored = call("select", name(register), *[self.scope.emit(Constant(value)) for value in (1.0, 0.0)])
                made.append(_set(self.place(target, "i"), stored))
        return made

    # ---- products ---------------------------------------------------------------------------------

    @property
    def span(self) -> int:
        """Columns that a block fetches at a time."""
        return text.FETCHED * (self.layout.threads // self.layout.rows)

    def product(self, product: MatrixProduct) -> list[ast.stmt]:
        fetch, keep = [], []
        for number_ in range(text.FETCHED):
            column = _element(f"team + {number_ * (self.layout.threads // self.layout.rows)}")
            term = name(self.scope.spelling(f"@@term {number_}"))
            fetch += filled(text.FETCH, {}, COLUMN=column, TERM=term, MATRIX=name(self.scope.spelling(product.matrix)))
            at = ast.BinOp(ast.BinOp(column, ast.Mult(), number(self.layout.rows)), ast.Add(), name("beside"))
            keep.append(_set(ast.Subscript(name("terms"), at, ast.Load()), term))
        of, target = self.arrays[product.of], self.arrays[product.name]
        return filled(
            text.PRODUCT,
            {"FETCH": fetch, "KEEP": keep},
            FACTOR=call("real", self.place(of, "first_column + column")),
            TARGET=self.place(target, "row"),
            THREADS=self.layout.threads,
            ROWS=self.layout.rows,
            SPAN=self.span,
        )


def _ranks(reductions: Sequence[Reduce | MatrixProduct]) -> list[Reduce]:
    return [r for r in reductions if isinstance(r, Reduce) and r.operation == "rank"]


def _pair(operation: str, a: ast.expr, b: ast.expr) -> ast.expr:
    return call(PAIRED[operation], a, b) if operation in PAIRED else ast.BinOp(a, ast.Add(), b)


def _four(operation: str, values: Sequence[ast.expr]) -> ast.expr:
    a, b, c, d = values
    return _pair(operation, _pair(operation, a, b), _pair(operation, c, d))


def _parsed(line: str) -> list[ast.stmt]:
    return ast.parse(line).body


def _element(text_: str) -> ast.expr:
    return ast.parse(text_, mode="eval").body


def _at(values: ast.expr, place: ast.expr) -> ast.expr:
    """An element of an array, or of a row of one."""
    if isinstance(values, ast.Subscript):
        return ast.Subscript(values.value, ast.Tuple([values.slice, place], ast.Load()), ast.Load())
    return ast.Subscript(values, place, ast.Load())


def _set(place: ast.expr, value: ast.expr) -> ast.stmt:
    return ast.Assign([place], value)

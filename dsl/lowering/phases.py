"""Statements in phases: side by side where they do not wait for one another, draws before their readers, names carried across barriers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...backends.kernel import Assign, Draw, Phase, Store, Symbol
from ..substitute import operations_of, substitute, symbols_of
from .arrange import SLOW


def side_by_side(statements: list[Assign]) -> list[Assign]:
    """The statements with functions that do not wait for one another next to each other: a processor looks only so far ahead, and a
    function that waits for the one before it would keep it idle."""
    depths: dict[str, int] = {}
    for statement in statements:
        waits = max((depths.get(name, 0) for name in symbols_of(statement.expression)), default=0)
        depths[statement.name] = waits + any(node.name in SLOW for node in operations_of(statement.expression))
    return sorted(statements, key=lambda statement: depths[statement.name])


def with_draws(assigned: list[Assign], draws: list[Draw]) -> list[Assign | Draw]:
    """Draws stand before the first statement that reads them, and after the mean that they need."""
    made: list[Assign | Draw] = [draw for draw in draws if draw.mean is None]
    late = [draw for draw in draws if draw.mean is not None]
    for statement in assigned:
        for draw in [d for d in late if d.name in symbols_of(statement.expression)]:
            made.append(draw)
            late.remove(draw)
        made.append(statement)
    return [*made, *late]


def carry_across(phases: list[Phase], declare: Callable[[str, str], None]) -> tuple[Phase, ...]:
    """Names that are read in a later phase than they are made in: per-step ones are made again, others kept in an array.

    `declare(array, name)` is called for each such array, once.
    """
    declared: set[str] = set()
    made_in = {s.name: number for number, phase in enumerate(phases) for s in (*phase.uniform, *phase.body)}
    uniform = {s.name: s for phase in phases for s in phase.uniform}
    result = list(phases)
    for number, phase in enumerate(phases):
        foreign = [name for name in _read_by(phase) if made_in.get(name, number) < number]
        again = [name for name in foreign if name in uniform]
        stored = {name: array for name in foreign if (array := _still_in(phases, made_in[name], number, name)) is not None}
        kept = [name for name in foreign if name not in uniform and name not in stored]
        renamed = {name: Symbol(f"@kept {name}") for name in kept} | {name: Symbol(array) for name, array in stored.items()}
        copies = [Assign(f"{name}#{number}", uniform[name].kind, uniform[name].expression) for name in again]
        renamed |= {name: Symbol(f"{name}#{number}") for name in again}
        for name in kept:
            place = f"@kept {name}"
            if place not in declared:
                declared.add(place)
                declare(place, name)
                home = result[made_in[name]]
                result[made_in[name]] = replace(home, stores=(*home.stores, Store(place, name)))
        if foreign:
            result[number] = _renamed(result[number], renamed, copies)
    return tuple(result)


def _still_in(phases: list[Phase], made: int, read: int, name: str) -> str | None:
    """The array that got the value in the phase that made it, and holds it still; what is held for a reduction is gone with it."""
    between = {store.array for phase in phases[made + 1 : read] for store in phase.stores}
    stores = [store for store in phases[made].stores if store.name == name and not store.array.startswith("@held ")]
    return next((store.array for store in stores if store.array not in between), None)


def _read_by(phase: Phase) -> list[str]:
    found: dict[str, None] = {}
    for statement in (*phase.uniform, *phase.body):
        expression = statement.expression if isinstance(statement, Assign) else statement.mean
        if expression is not None:
            found.update(dict.fromkeys(sorted(symbols_of(expression))))
    found.update(dict.fromkeys(store.name for store in phase.stores))
    found.update(dict.fromkeys(emit.flag for emit in phase.emits))
    return list(found)


def _renamed(phase: Phase, names: Mapping[str, Symbol], copies: list[Assign]) -> Phase:
    def changed(statement: Assign | Draw) -> Assign | Draw:
        if isinstance(statement, Assign):
            return Assign(statement.name, statement.kind, substitute(statement.expression, names))
        return Draw(
            statement.name, statement.distribution, statement.stream, statement.mean and substitute(statement.mean, names)
        )

    uniform = [s for s in map(changed, phase.uniform) if isinstance(s, Assign)]
    stores = tuple(Store(s.array, names[s.name].name if s.name in names else s.name) for s in phase.stores)
    emits = tuple(replace(e, flag=names[e.flag].name) if e.flag in names else e for e in phase.emits)
    return replace(phase, uniform=(*copies, *uniform), body=tuple(changed(s) for s in phase.body), emits=emits, stores=stores)

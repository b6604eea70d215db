"""Inheritance: the statements of a base with those of the derived model put in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from .inheritance_mistakes import InheritanceCycle, InheritanceTooDeep, NothingToRemove, UnitChanged, UnknownBase
from .near_names import near_names
from .units import Unit, unit_of, unit_text

Key = tuple[str, str]

DEEPEST = 50  # bases of a model


def key_of(statement: nodes.Statement) -> Key:
    """What a statement says something about: of two with one key, the derived model's counts."""
    match statement:
        case nodes.Differential() | nodes.Definition() | nodes.Declaration() | nodes.CallableDeclaration():
            return ("name", statement.name.id)
        case nodes.Initial(name=name):
            return ("initial", name.id)
        case nodes.FunctionDefinition(name=name):
            return ("name", name.id)
        case nodes.Event(name=name):
            return ("event", name.id)
        case nodes.EachStep(after_reset=after):
            return ("step", "after" if after else "before")
        case nodes.Without(name=name):
            return ("without", name.id)
    return ("statement", WORDS.get(type(statement), type(statement).__name__))


WORDS: dict[type[nodes.Statement], str] = {
    nodes.Refractory: "refractory",
    nodes.Output: "output",
    nodes.Surrogate: "surrogate",
    nodes.Method: "method",
    nodes.RecommendedStep: "dt",
    nodes.RecommendedDuration: "duration",
    nodes.TimeIn: "time",
}


def removable(statement: nodes.Statement) -> str:
    """The name by which `without` removes a statement."""
    kind, name = key_of(statement)
    return "step" if kind == "step" else name


def merge(declaration: nodes.ModelDeclaration, base: nodes.ModelDeclaration) -> nodes.ModelDeclaration:
    """A model that says all that its base says, but for what it says itself or removes; it has no base any more."""
    own = {key_of(statement): statement for statement in declaration.statements}
    removed = {name for kind, name in own if kind == "without"}
    statements: list[nodes.Statement] = []
    for statement in base.statements:
        key = key_of(statement)
        if removable(statement) in removed and key not in own:
            continue
        statements.append(keeping_unit(own.pop(key), statement) if key in own else statement)
    kept = {id(statement) for statement in own.values()}
    statements += [s for s in declaration.statements if id(s) in kept and not isinstance(s, nodes.Without)]
    docstring = declaration.docstring or base.docstring
    return replace(declaration, base=None, docstring=docstring, statements=tuple(statements))


def keeping_unit(statement: nodes.Statement, base: nodes.Statement) -> nodes.Statement:
    """The derived statement in the unit of the inherited one, so that plain numbers mean the same in both; and its comment."""
    comment = statement.comment or base.comment
    statement = replace(statement, comment=comment)
    unit = written_unit(base)
    if unit == written_unit(statement):
        return statement
    if isinstance(statement, (nodes.Definition, nodes.Differential)) and statement.unit is None and unit is not None:
        return replace(statement, unit=unit)
    return statement


def written_unit(statement: nodes.Statement) -> nodes.Unit | None:
    """The unit that a statement is written in, after it or in its quantity."""
    unit = getattr(statement, "unit", None)
    if unit is not None or not isinstance(statement, nodes.Definition):
        return unit
    expression = statement.expression
    while isinstance(expression, nodes.Unary):
        expression = expression.operand
    return expression.unit if isinstance(expression, nodes.Quantity) else None


def mistakes_between(declaration: nodes.ModelDeclaration, base: nodes.ModelDeclaration) -> list[Mistake]:
    """What a derived model says that its base does not allow."""
    mistakes: list[Mistake] = []
    inherited_by_key = {key_of(statement): statement for statement in base.statements}
    names = [removable(statement) for statement in base.statements]
    for statement in declaration.statements:
        if isinstance(statement, nodes.Without) and statement.name.id not in names:
            mistakes.append(NothingToRemove(statement.name.span, statement.name.id, near_names(statement.name.id, names)))
        old = inherited_by_key.get(key_of(statement))
        if old is not None:
            mistakes += changed_unit(statement, old)
    return mistakes


def changed_unit(statement: nodes.Statement, old: nodes.Statement) -> list[Mistake]:
    new_unit, old_unit = getattr(statement, "unit", None), written_unit(old)
    if new_unit is None or old_unit is None:
        return []
    new, inherited_unit = unit_of(new_unit), unit_of(old_unit)
    if not isinstance(new, Unit) or not isinstance(inherited_unit, Unit) or same(new, inherited_unit):
        return []
    return [UnitChanged(new_unit.span, statement.name.id, unit_text(old_unit))]  # type: ignore[attr-defined]


def same(one: Unit, other: Unit) -> bool:
    return one.dimension == other.dimension and one.decade == other.decade


def inherited(
    declaration: nodes.ModelDeclaration,
    known_models: Callable[[str], nodes.ModelDeclaration | None],
    model_names: Iterable[str] = (),
) -> tuple[nodes.ModelDeclaration, tuple[Mistake, ...]]:
    """A model with all it inherits, over any number of bases. `model_names`: for suggestions."""
    chain, mistakes = [declaration], list[Mistake]()
    while (base := chain[-1].base) is not None:
        found = known_models(base.id)
        if base.id == chain[-1].name.id:
            mistakes.append(InheritanceCycle(base.span, (base.id,)))
            break
        if found is None:
            mistakes.append(UnknownBase(base.span, base.id, near_names(base.id, model_names)))
            break
        if any(found is model for model in chain):
            mistakes.append(InheritanceCycle(base.span, tuple(model.name.id for model in chain)))
            break
        if len(chain) > DEEPEST:
            mistakes.append(InheritanceTooDeep(chain[0].name.span, DEEPEST))
            break
        chain.append(found)
    merged = replace(chain.pop(), base=None)
    while chain:
        derived = chain.pop()
        mistakes += mistakes_between(derived, merged)
        merged = merge(derived, merged)
    return merged, tuple(mistakes)

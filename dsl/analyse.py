"""The semantic stage: from the syntax of one model to a CheckedModel, or to all of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..grammar import nodes
from ..grammar.mistakes import Mistake
from . import checked
from .analysis.final import check_flags, check_method, check_noise, check_open_units, note_hidden_names
from .analysis.formulas import define, derivative_of, initial_of
from .analysis.names import declare, read_time_unit
from .analysis.rules import events_of, held_states, output_value, recommended, refractory_of, step_block, surrogate_of
from .analysis.shared import check_shared
from .analysis.size import check_size
from .analysis.strict import put_right
from .analysis.subject import Analysis
from .analysis.variables import derived_of, external_of, input_of, output_of, parameter_of, state_of
from .call_mistakes import UnknownFunction
from .inheritance import inherited
from .name_mistakes import UnknownName, WrittenOutTooLong
from .numbering import numbered
from .scope import Role

KnownModels = Callable[[str], nodes.ModelDeclaration | None]


def no_models(name: str) -> None:
    """No model is known by any name."""


def analyse(
    declaration: nodes.ModelDeclaration,
    known_models: KnownModels = no_models,
    keyword_form: bool = False,
    unread: frozenset[str] = frozenset(),
    model_names: Iterable[str] = (),
    given: Iterable[str] = (),
) -> tuple[checked.CheckedModel | None, tuple[Mistake, ...]]:
    """Check one model: its meaning, or None and everything that is wrong with it.

    `known_models` gives the (merged) declaration of a model that this one may inherit from. `keyword_form`: the text came with
    `threshold=`, `reset=`, ... as Brian2 writes it; then what Brian2 lets pass is a note. `unread`: names that statements with a
    mistake of syntax seem to define (`Parsed.unread`), which are not called unknown.
    `model_names`: what a misspelt base may have meant; `given`: what the keyword form gives values for.
    """
    merged, mistakes = inherited(declaration, known_models, model_names)
    analysis = Analysis(merged, keyword_form, unread)
    analysis.scope.keyword_form = keyword_form
    analysis.scope.given = tuple(name for name in given if name not in analysis.outline.names)
    model = checked_model(analysis)
    found = (*mistakes, *analysis.scope.mistakes)
    return (None if found else model), in_order(found)


def analyse_module(
    module: nodes.Module,
    known_models: KnownModels = no_models,
    keyword_form: bool = False,
    unread: frozenset[str] = frozenset(),
    model_names: Iterable[str] = (),
) -> tuple[tuple[checked.CheckedModel, ...], tuple[Mistake, ...]]:
    """Check every model of a text; a model may inherit from those above it."""
    above: dict[str, nodes.ModelDeclaration] = {}
    models: list[checked.CheckedModel] = []
    mistakes: list[Mistake] = []
    for declaration in module.models:
        model, found = analyse(
            declaration, lambda name: above.get(name) or known_models(name), keyword_form, unread, (*above, *model_names)
        )
        above[declaration.name.id] = declaration
        models += [model] if model is not None else []
        mistakes += found
    return tuple(models), in_order(mistakes)


def in_order(mistakes: list[Mistake] | tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """By place, each once; a name that is not known is said once, at its first place."""
    once: dict[object, Mistake] = {}
    for mistake in sorted(mistakes, key=lambda m: (m.span.source.name, m.span.start)):
        if isinstance(mistake, (UnknownName, UnknownFunction)):
            once.setdefault((type(mistake), mistake.name), mistake)
        else:
            once.setdefault((mistake.span.source.name, mistake.span.start, mistake.span.stop, mistake.message), mistake)
    return tuple(once.values())


def checked_model(a: Analysis) -> checked.CheckedModel:
    """Everything in turn; the result counts only where no mistake was found."""
    read_time_unit(a)
    check_size(a)
    if a.scope.mistakes and isinstance(a.scope.mistakes[-1], WrittenOutTooLong):
        return None  # type: ignore[return-value]  # nothing that walks it would come to an end
    declare(a)
    for name in a.roles.order:
        define(a, name)
    for name, equation in a.outline.differentials.items():
        a.derivatives[name] = derivative_of(a, name, equation)
    for name, initial in a.outline.initials.items():
        if name in a.scope.entries:  # not what `d` in front of it has led to another reading of
            a.initials[name] = initial_of(a, name, initial)
    events, refractory, held = events_of(a), refractory_of(a), held_states(a)
    before, after = step_block(a, False), step_block(a, True)
    output, surrogate, method = output_value(a), surrogate_of(a), a.outline.one(nodes.Method)
    step, duration = (recommended(a, kind) for kind in (nodes.RecommendedStep, nodes.RecommendedDuration))
    check_noise(a)
    check_flags(a)
    check_shared(a)
    check_method(a, method)
    note_hidden_names(a)
    solution = a.scope.settle()
    check_open_units(a, solution)
    if a.scope.mistakes:
        return None  # type: ignore[return-value]
    return numbered_where_drawn(
        a,
        checked.CheckedModel(
            name=a.declaration.name.id,
            description=a.declaration.docstring,
            states=tuple(state_of(a, name, solution, held) for name in a.names_of(Role.STATE)),
            parameters=tuple(parameter_of(a, name, solution) for name in a.names_of(Role.PARAMETER)),
            derived=tuple(derived_of(a, name, solution) for name in a.roles.order if a.role(name) is Role.DERIVED),
            inputs=tuple(input_of(a, name, solution) for name in a.roles.order if a.role(name) is Role.INPUT),
            externals=tuple(external_of(a, name, solution) for name in a.names_of(Role.EXTERNAL)),
            events=events,
            refractory=refractory,
            each_step=before,
            each_step_after_reset=after,
            output=output_of(a, output, solution),
            surrogate=surrogate,
            method=method.name.id if method else None,
            order=tuple(name.id for name in method.order) if method else (),
            plain=a.scope.plain is not None,
            dt=step,
            duration=duration,
            notes=tuple(dict.fromkeys(a.scope.notes)),
            declaration=put_right(a, a.declaration),
        ),
    )


def numbered_where_drawn(a: Analysis, model: checked.CheckedModel) -> checked.CheckedModel:
    return numbered(model) if a.scope.draws else model

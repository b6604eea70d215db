"""From a text to checked models: parsing, keywords and checking in one call, all mistakes in one report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..grammar.source import Source
from . import store
from .checked import CheckedModel
from .declaration import declaration_of
from .errors import ModelError, UsageError

if TYPE_CHECKING:
    from ..grammar.mistakes import Mistake
    from ..grammar.nodes import ModelDeclaration
    from ..grammar.parse import Parsed
    from ..grammar.source import Span
    from .keywords import EventText

KnownModels = Callable[[str], "ModelDeclaration | None"]


@dataclass(frozen=True)
class Keywords:
    """What was said beside the text."""

    threshold: str | None = None
    reset: str | None = None
    refractory: str | None = None
    events: Mapping[str, EventText] = field(default_factory=dict)
    method: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def brian(self) -> bool:
        """Whether the text came in Brian2's form."""
        return any((self.threshold, self.reset, self.refractory, self.events))


NOTHING = Keywords()
BRIAN2_NAMES = frozenset(("t", "dt", "i", "N", "lastspike", "not_refractory", "pi", "e", "inf"))
NOT_TAKEN = "`{}` is a name of the language; the value that was given for it is not used, as in Brian2"


def read(source: Source, name: str | None, known: KnownModels, keywords: Keywords = NOTHING) -> CheckedModel:
    """The model `name` of a text, or the only one; found on disk where it has been checked before.

    Raises ModelError with all mistakes, UsageError for a name that cannot be meant.
    """
    key = _key(source, name, keywords)
    kept = store.recall(key) if key is not None else None
    if isinstance(kept, CheckedModel):
        return kept
    asked: list[str] = []

    def noted(base: str) -> ModelDeclaration | None:
        asked.append(base)
        return known(base)

    checked = _read(source, name, noted, keywords)
    if key is not None and not asked:  # what inherits from another text is not decided by its own alone
        store.keep(key, replace(checked, declaration=None, text=_printed(checked)))
    return checked


def _key(source: Source, name: str | None, keywords: Keywords) -> str | None:
    """What the meaning of a text depends on; None where that is no plain data."""
    said = (keywords.threshold, keywords.reset, keywords.refractory, keywords.method)
    values = {name: _plain(value) for name, value in sorted(keywords.parameters.items())}
    if keywords.events or any(value is None for value in values.values()):
        return None
    return store.key("text", source.text, source.name, name, said, values)


def _plain(value: object) -> object:
    """What a text sees of a value that comes with it, as plain data; None where that is not known before the text is read."""
    from .outside import described, is_function

    if isinstance(value, str | int | float):
        return value
    return described(value) if is_function(value) else None


def _printed(checked: CheckedModel) -> str:
    from ..grammar.printer import print_model

    return print_model(declaration_of(checked))


def _read(source: Source, name: str | None, known: KnownModels, keywords: Keywords) -> CheckedModel:
    from ..grammar.parse import parse

    parsed = parse(source)
    each_once(parsed)
    declaration = _chosen([named(model) for model in parsed.module.models], name, source) if parsed.module.models else None
    if declaration is None:
        raise ModelError(parsed.mistakes)
    others = {model.name.id: model for model in parsed.module.models if model.name.id != declaration.name.id}
    checked, mistakes = _check(declaration, lambda base: others.get(base) or known(base), parsed.unread, keywords)
    return _checked(checked, (*parsed.mistakes, *mistakes))


def read_all(source: Source, known: KnownModels) -> dict[str, CheckedModel]:
    """Every model of a text, by name. Raises ModelError with all mistakes of all of them."""
    from ..grammar.parse import parse

    parsed = parse(source)
    each_once(parsed)
    mistakes = list(parsed.mistakes)
    models: dict[str, CheckedModel] = {}
    declarations = {model.name.id: model for model in map(named, parsed.module.models)}
    for name, declaration in declarations.items():
        checked, found = _check(declaration, lambda base: declarations.get(base) or known(base), parsed.unread, NOTHING)
        mistakes += found
        if checked is not None:
            models[name] = checked
    if mistakes:
        raise ModelError(mistakes)
    return models


def each_once(parsed: Parsed) -> None:
    """Raise ModelError for two models of one name."""
    from .name_mistakes import DefinedTwice

    first: dict[str, Span] = {}
    mistakes: list[Mistake] = list(parsed.mistakes)
    for model in parsed.module.models:
        name, span = model.name.id, model.name.span
        if name in first:
            mistakes.append(DefinedTwice(span, f"the model `{name}`", first[name]))
        first.setdefault(name, span)
    if len(first) < len(parsed.module.models):
        raise ModelError(mistakes)


def extended(base: CheckedModel, source: Source, name: str) -> CheckedModel:
    """What `base` says, but for the statements of a bare text. Raises ModelError for mistakes in it."""
    from ..grammar.parse import parse

    parsed = parse(source)
    if any(not model.bare for model in parsed.module.models):
        raise UsageError("extend: expected statements alone, without `model NAME:`")
    if not parsed.module.models:
        if parsed.mistakes:
            raise ModelError(parsed.mistakes)
        syntax = declaration_of(base)
        return replace(base, name=name, declaration=replace(syntax, name=replace(syntax.name, id=name), bare=False), text="")
    (addition,) = parsed.module.models
    whole = replace(addition.name, id=f"{base.name}'")  # no text can hold this name, so it stands for `base` alone
    declaration = replace(addition, name=replace(addition.name, id=name), base=whole, bare=False)
    checked, mistakes = _check(
        declaration, lambda asked: declaration_of(base) if asked == whole.id else None, parsed.unread, NOTHING
    )
    return _checked(checked, (*parsed.mistakes, *mistakes))


def _check(
    declaration: ModelDeclaration, known: KnownModels, unread: frozenset[str], keywords: Keywords
) -> tuple[CheckedModel | None, tuple[Mistake, ...]]:
    from .analyse import analyse
    from .given import given_parameters
    from .keywords import with_keywords

    mistakes: tuple[Mistake, ...] = ()
    taken: set[str] = set()
    brian = keywords.brian or (keywords is not NOTHING and _looks_like_brian2(declaration))
    if keywords is not NOTHING:
        said = keywords
        declaration, mistakes = with_keywords(declaration, said.threshold, said.reset, said.refractory, said.events, said.method)
        taken = _own_names(declaration) & said.parameters.keys() if brian else set()
        parameters = {name: value for name, value in said.parameters.items() if name not in taken}
        declaration, more = with_keywords(declaration, parameters=given_parameters(parameters, declaration))
        mistakes += more
    checked, found = analyse(declaration, known, brian, unread, given=keywords.parameters)
    if checked is not None and taken:
        checked = replace(checked, notes=(*checked.notes, *(f"{NOT_TAKEN.format(name)}" for name in sorted(taken))))
    return checked, (*mistakes, *found)


def _own_names(declaration: ModelDeclaration) -> set[str]:
    """The names that a text uses and Brian2 gives a meaning itself, whatever its namespace holds."""
    from ..grammar.walks import names_used
    from .keywords import introduced

    used = {name for statement in declaration.statements for name in names_used(statement)}
    return used & BRIAN2_NAMES - {introduced(statement) for statement in declaration.statements}


def _looks_like_brian2(declaration: ModelDeclaration) -> bool:
    """Whether every statement is an equation, a formula or a parameter with its unit."""
    from ..grammar.nodes import Declaration, Definition, Differential

    kinds = (Differential, Definition, Declaration)
    return all(isinstance(statement, kinds) and statement.unit is not None for statement in declaration.statements)


def _checked(checked: CheckedModel | None, mistakes: tuple[Mistake, ...]) -> CheckedModel:
    if checked is None or mistakes:
        raise ModelError(mistakes)
    return checked


def named(model: ModelDeclaration) -> ModelDeclaration:
    """A bare text of a file goes by the file's name, without folder and ending."""
    return replace(model, name=replace(model.name, id=re.sub(r"\W", "_", Path(model.name.id).stem))) if model.bare else model


def _chosen(models: list[ModelDeclaration], name: str | None, source: Source) -> ModelDeclaration:
    names = [model.name.id for model in models]
    if name in names:
        return models[names.index(name)]
    if len(models) > 1:
        said = "say which one with name=" if name is None else f"none of them is called {name!r}"
        raise UsageError(f"the text holds the models {', '.join(names)}: {said}")
    if name is None:
        return models[0]
    raise UsageError(f"the text calls its model {names[0]!r}, and name={name!r} says another; leave name out, or change the text")

"""The report for a text with directives in its first lines: `#! reset = v = 0*mV`, `#! parameters tau = 30*ms`, `#! quantity N`."""

from __future__ import annotations

from collections.abc import Sequence

from dvdt.dsl.analyse import analyse, analyse_module
from dvdt.dsl.errors import ModelError, render
from dvdt.dsl.expressions import function_of_time, quantity
from dvdt.dsl.keywords import with_keywords
from dvdt.grammar.mistakes import Mistake
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source


def mistakes_in(text: str, name: str = "model") -> tuple[Mistake, ...]:
    """Every mistake of a text, as a person meets them."""
    return ModelError(all_in(text, name)).mistakes


def all_in(text: str, name: str) -> tuple[Mistake, ...]:
    lines = text.splitlines(keepends=True)
    directives = [line[2:].strip() for line in lines if line.startswith("#!")]
    body = "".join(line for line in lines if not line.startswith("#!"))
    if any(directive.startswith("quantity") for directive in directives):
        return of_quantity(directives[0].removeprefix("quantity").strip())
    parsed = parse(Source(body, name))
    if not directives:
        return (*parsed.mistakes, *analyse_module(parsed.module, unread=parsed.unread)[1])
    if directives[0].startswith("function of time"):
        return of_function(body, *directives[0].removeprefix("function of time").split("=", 1))
    keywords: dict[str, object] = {}
    for directive in directives:
        key, value = (part.strip() for part in directive.split("=", 1))
        keywords[key] = value
    parameters = {key.split()[1]: value for key, value in keywords.items() if key.startswith("parameters")}
    others = {key: value for key, value in keywords.items() if not key.startswith("parameters")}
    declaration, mistakes = with_keywords(parsed.module.models[0], parameters=parameters, **others)  # type: ignore[arg-type]
    return (*parsed.mistakes, *mistakes, *analyse(declaration, keyword_form=True, unread=parsed.unread)[1])


def of_quantity(text: str) -> tuple[Mistake, ...]:
    try:
        quantity(text, "I")
    except ModelError as error:
        return error.mistakes
    return ()


def of_function(body: str, name: str, text: str) -> tuple[Mistake, ...]:
    (model,), _ = analyse_module(parse(Source(body, "model")).module)
    variable = next(parameter for parameter in model.parameters if parameter.name == name.strip())
    try:
        function_of_time(model, text.strip(), name.strip(), variable)
    except ModelError as error:
        return error.mistakes
    return ()


def report_of(mistakes: Sequence[Mistake]) -> str:
    return render(mistakes) + "\n"

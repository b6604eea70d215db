"""Lint: what a text may say and its author hardly meant. Every rule is a function from the subject to its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...grammar.nodes import ModelDeclaration
from ..checked import CheckedModel
from .alike import alike, changeless
from .bare_numbers import bare_numbers
from .cancelling import cancelling
from .findings import Finding, Findings
from .impossible import impossible
from .starting import not_finite
from .subject import Subject, subject_of
from .times import refractory_times, time_constants
from .unused import unused, unused_refractoriness

__all__ = ["DEFAULT_STEP", "Finding", "Findings", "lint"]

DEFAULT_STEP = 0.1  # ms; that of a run which says nothing
RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    unused,
    unused_refractoriness,
    bare_numbers,
    impossible,
    alike,
    changeless,
    cancelling,
    not_finite,
    time_constants,
    refractory_times,
)


def lint(model: CheckedModel, declaration: ModelDeclaration, dt: float | None = None) -> Findings:
    """What is strange in a model without a mistake, by place. `dt` in ms; without it that which the model recommends, else 0.1 ms."""
    subject = subject_of(model, declaration, dt or model.dt or DEFAULT_STEP)
    found = [finding for rule in RULES for finding in rule(subject)]
    return Findings(sorted(found, key=lambda finding: (finding.span.source.name, finding.span.start, finding.code)))

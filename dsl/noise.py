"""White noise in the equations: whether it multiplies a state, which scheme that asks for, and in whose sense it is then taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from .errors import UsageError
from .notation import text_of
from .schemes import SCHEMES
from .step import TIME, Refusal, Step, System

# what the names of two schemes mean where there is noise
NOISY: Mapping[str, str] = {"euler": "euler_maruyama", "heun": "heun_stratonovich"}

SAME_SENSE = "the noise is additive: Ito and Stratonovich agree"
ONE_SENSE = "the noise multiplies {}: it is taken in the sense of {}"
OTHER_SENSE = 'milstein is in the sense of Ito here; that of Brian2, in the sense of Stratonovich, is conventions="brian2"'


@dataclass(frozen=True)
class Product:
    """White noise that is multiplied by something that changes with a state: the equation, the term, and what it changes with."""

    state: str
    term: str
    by: str

    def __str__(self) -> str:
        return f"d{self.state}/dt holds the term {self.term}"


def multiplicative(system: System) -> Product | None:
    """The first noise whose factor reads a state that the equations advance, also through a definition; None where all is additive."""
    for (state, source), factor in system.noise.items():
        names = {symbol.name for symbol in factor.free_symbols}
        by = next((name for name in system.states if name in names), None)
        across = next((f"{system.across[name]}(...)" for name in sorted(names) if name in system.across), None)
        if by or across:
            return Product(state, _term(system, factor, source), by or across or "")
    return None


def _term(system: System, factor: sympy.Expr, source: str) -> str:
    """The noise and its factor as a person would write them."""
    read = {sympy.Symbol(name): sympy.Symbol(f"{operation}(...)") for name, operation in system.across.items()}
    return text_of((factor * sympy.Symbol(source)).xreplace(read))


def sense(system: System, step: Step) -> str:
    """In whose sense a step takes the noise, in words; empty where there is none."""
    if not system.noise:
        return ""
    product = multiplicative(system)
    return SAME_SENSE if product is None else ONE_SENSE.format(product.by, step.calculus)


def automatic(name: str, system: System) -> tuple[str, str]:
    """The scheme for a noisy model whose method is `auto`, and why. Raises UsageError where the noise multiplies a state."""
    product = multiplicative(system)
    if product is None:
        return "euler_maruyama", "the equations hold additive white noise"
    raise UsageError(_question(name, product, system))


def _question(name: str, product: Product, system: System) -> str:
    """Ito or Stratonovich: the two are different models, and only their author knows which one is meant."""
    able: dict[str, list[str]] = {"Ito": [], "Stratonovich": []}
    for scheme in ("milstein", "euler_maruyama", "heun_stratonovich"):
        try:
            able[SCHEMES[scheme].step(system).calculus].append(f"`method {scheme}`")
        except Refusal:
            continue
    ways = "; ".join(f"in the sense of {calculus}: {' or '.join(names)}" for calculus, names in able.items() if names)
    return (
        f"method: the white noise of {name} multiplies a state, {product.by}: {product}. Ito and Stratonovich are then two different models:"
        f" say which one is meant, in the text or with method=. {ways[0].upper()}{ways[1:]}."
    )


# ---- Brian2 ------------------------------------------------------------------------------------


def brian2_automatic(system: System) -> tuple[str, str]:
    """What Brian2's default, the first of exact, euler and heun that can, makes of a noisy model."""
    if _brian2_multiplicative(system) is None:
        return "euler_maruyama", "Brian2's default for additive noise, euler"
    return "heun_stratonovich", "Brian2's default for noise that multiplies a state or changes with time, heun"


def refuse_as_brian2(name: str, system: System) -> None:
    """Raises UsageError where Brian2's euler, which takes additive noise only, would refuse."""
    product = _brian2_multiplicative(system)
    if product is not None:
        raise UsageError(
            f"method: Brian2's euler takes additive noise only, and in {name} {product}, where {product.by} changes."
            " Methods that can: heun or milstein (Stratonovich, as in Brian2), euler_maruyama (Ito)."
        )


def _brian2_multiplicative(system: System) -> Product | None:
    """As `multiplicative`, with factors that read the time counted too, as Brian2 counts them."""
    found = multiplicative(system)
    for (state, source), factor in system.noise.items():
        if found is None and (TIME in factor.free_symbols or any(s.name in system.sampled for s in factor.free_symbols)):
            found = Product(state, _term(system, factor, source), "t")
    return found

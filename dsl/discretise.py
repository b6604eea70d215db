"""CheckedModel to Step: the equations as a system, the scheme that integrates it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction

import sympy

from ..backends.kernel import Constant, Expr, Operation, Symbol
from . import noise
from .brian2_default import brian2_default
from .checked import CheckedModel
from .errors import UsageError
from .safe_forms import safe
from .schemes import ALIASES, SCHEMES
from .schemes.exact import moving_factor
from .step import Refusal, Step, System
from .structure import Structure
from .substitute import definitions, substitute, symbols_of, transform
from .symbolic import function, to_sympy

_REDUCTIONS = frozenset("total mean largest smallest any count rank one_of matmul".split())
_READ_ONCE = _REDUCTIONS | {"sample", "uniform", "normal", "exponential", "poisson"}

CLAMPED = "right-hand sides read {} no higher than its spike level, so that an upstroke cannot drive other variables away"
HELD_OVER = "{}(...) in an equation is read at the start of each step and held over it, which is of order 1 whatever the method"


@dataclass(frozen=True)
class Discretised:
    """A step of the differential equations, the scheme's name and why it was taken, and in whose `sense` it takes white noise.

    `atoms` are values read once, before the step, and used in it under their names: samples of series, draws, reductions. `bounds`
    are the levels that right-hand sides read explosive states under. `system` is None where there is no differential equation.
    """

    step: Step
    system: System | None
    atoms: Mapping[str, Expr]
    bounds: Mapping[str, Expr]
    scheme: str
    why: str
    notes: tuple[str, ...]
    sense: str = ""


def discretise(model: CheckedModel, structure: Structure) -> Discretised:
    """The step of a model under the scheme that the structure names, or the author, or `auto`.

    Raises UsageError for a method that does not exist or cannot do the model.
    """
    equations = [state for state in model.states if state.derivative is not None]
    if not equations:
        return Discretised(Step((), {}), None, {}, {}, "none", "the model has no differential equation", ())
    system, atoms, bounds, notes = _system(model, structure)
    name, why = choose(model, structure, system)
    if not SCHEMES[name].bounded:
        system, bounds, notes = replace(system, ceilings={}), {}, ()
    try:
        step = SCHEMES[name].step(system)
    except Refusal as refusal:
        raise UsageError(_refused(model, name, refusal, system)) from None
    atoms |= _at_stages(step, system, atoms)
    if SCHEMES[name].order != 1:
        notes += tuple(HELD_OVER.format(operation) for operation in dict.fromkeys(system.across.values()))
    if name == "milstein" and system.noise and not system.brian2:
        notes += (noise.OTHER_SENSE,)
    return Discretised(step, system, atoms, bounds, name, why, notes, noise.sense(system, step))


# ---- the system --------------------------------------------------------------------------------


def _system(model: CheckedModel, structure: Structure) -> tuple[System, dict[str, Expr], dict[str, Expr], tuple[str, ...]]:
    written_out = definitions(model, dict(structure.functions))
    atoms: dict[str, Expr] = {}
    slopes: dict[str, sympy.Expr] = {}
    named: dict[str, sympy.Expr] = {}
    by_name = _by_name(model, structure)
    for state in model.states:
        if state.derivative is not None:
            expression = transform(_written(state.derivative, written_out), lambda node: _atom(node, atoms))
            slopes[state.name] = safe(to_sympy(expression))
            if by_name is not None:
                named[state.name] = to_sympy(
                    transform(_written(state.derivative, by_name), lambda node: _atom(node, dict(atoms)))
                )
    noise_symbols = sorted(
        {s for slope in slopes.values() for s in slope.free_symbols if s.name.startswith("@xi")}, key=lambda s: s.name
    )
    silent = {symbol: sympy.Integer(0) for symbol in noise_symbols}
    drift = {name: slope.xreplace(silent) for name, slope in slopes.items()}
    factors = {
        (name, xi.name): sympy.diff(slope, xi)
        for name, slope in slopes.items()
        for xi in noise_symbols
        if xi in slope.free_symbols
    }
    held = frozenset(state.name for state in model.states if state.held) if model.refractory is not None else frozenset()
    explosive = None if structure.conventions == "brian2" else _explosive_state(model, drift, held, written_out)
    bounds = {f"@ceiling_{explosive[0]}": explosive[1]} if explosive else {}
    across = {
        name: node.name for name, node in atoms.items() if isinstance(node, Operation) and _reads(node, slopes, written_out)
    }
    notes = (CLAMPED.format(explosive[0]),) if explosive else ()
    system = System(
        drift=drift,
        noise=factors,
        held=held & frozenset(drift),
        varying=_varying(model, structure, atoms),
        ceilings={explosive[0]: sympy.Symbol(f"@ceiling_{explosive[0]}")} if explosive else {},
        order=model.order,
        brian2=structure.conventions == "brian2",
        across=across,
        sampled=frozenset(name for name, node in atoms.items() if isinstance(node, Operation) and node.name == "sample")
        | {name for name, shape in structure.shapes if shape in ("series", "columns")},
        unsteady=frozenset(name for name, node in atoms.items() if _unsteady(node)),
        named=named,
    )
    return system, atoms, bounds, notes


def _at_stages(step: Step, system: System, atoms: Mapping[str, Expr]) -> dict[str, Expr]:
    """The samples of series that Brian2 reads at the times of a scheme's stages, by the names that `System.at` has given them."""
    names = {symbol.name for _, stage in (*step.stages, *step.new.items()) for symbol in stage.free_symbols}
    found = {}
    for name in sorted(system.sampled & atoms.keys()):
        for late in (late for late in names if late.startswith(f"{name}+")):
            share = Constant(float(Fraction(late.removeprefix(f"{name}+"))))
            later = Operation("add", (Symbol("@t"), Operation("multiply", (share, Symbol("@dt")))))
            found[late] = substitute(atoms[name], {"@t": later})
    return found


def _by_name(model: CheckedModel, structure: Structure) -> dict[str, Expr] | None:
    """Derived quantities written out down to what is given as a function of time; None where nothing is."""
    of_time = {name for name, _ in structure.functions} | {variable.name for variable in model.inputs}
    found: dict[str, Expr] = {}
    for variable in model.formulas:
        if not variable.once_a_step and variable.name not in of_time:
            found[variable.name] = substitute(variable.expression, found)
    return found if of_time else None


def _reads(node: Operation, states: Mapping[str, object], written_out: Mapping[str, Expr]) -> bool:
    """Whether something across the population depends on what the equations advance."""
    return node.name in _REDUCTIONS and not symbols_of(_written(node, written_out)).isdisjoint(states)


def _unsteady(node: Expr) -> bool:
    """Whether Brian2 takes what is read once a step to change within it: draws, and series at another time than its start."""
    if not isinstance(node, Operation) or node.name in _REDUCTIONS:
        return False
    return node.name != "sample" or node.arguments[1] != Symbol("@t")


def _written(expression: Expr, written_out: Mapping[str, Expr]) -> Expr:
    return transform(expression, lambda node: written_out.get(node.name, node) if isinstance(node, Symbol) else node)


def _atom(node: Expr, atoms: dict[str, Expr]) -> Expr:
    """What is read once before the step gets a name of its own."""
    if not isinstance(node, Operation) or node.name not in _READ_ONCE:
        return node
    name = next((name for name, known in atoms.items() if known == node), f"@atom{len(atoms)}")
    atoms[name] = node
    return Symbol(name)


def _varying(model: CheckedModel, structure: Structure, atoms: Mapping[str, Expr]) -> frozenset[str]:
    shapes = dict(structure.shapes)
    return frozenset(
        {state.name for state in model.states}
        | {variable.name for variable in (*model.derived, *model.inputs)}
        | {name for name, shape in shapes.items() if shape in ("series", "columns", "function")}
        | set(atoms)
        | {"@t", "@t_next", "@step", "@spiked", "@lastspike", "@not_refractory", "@is_refractory"}
    )


# ---- explosive terms ---------------------------------------------------------------------------


def _explosive_state(
    model: CheckedModel, drift: Mapping[str, sympy.Expr], held: frozenset[str], written_out: Mapping[str, Expr]
) -> tuple[str, Expr] | None:
    """A state that grows explosively and is reset, and the level that right-hand sides read it under: its spike level, or
    infinity where a parameter set puts the reset above that."""
    constant = {parameter.name for parameter in model.parameters}
    for event in model.events:
        if event.name != "spike" or not isinstance(event.condition, Operation):
            continue
        condition = event.condition
        if condition.name not in ("greater", "greater_equal") or not isinstance(condition.arguments[0], Symbol):
            continue
        state, peak = condition.arguments[0].name, _written(condition.arguments[1], written_out)
        resets = [_written(a.expression, written_out) for a in event.block if a.target == state]
        if state not in drift or len(resets) != 1 or not (symbols_of(peak) | symbols_of(resets[0])) <= constant:
            continue
        if model.refractory is not None and state not in held:
            continue
        if not any(_explosive(slope, sympy.Symbol(state)) for slope in drift.values()):
            continue
        return state, Operation("where", (Operation("less", (resets[0], peak)), peak, Constant(float("inf"))))
    return None


def _explosive(slope: sympy.Expr, state: sympy.Symbol) -> bool:
    """Whether a right-hand side grows as an exponential or a power of at least 2 of the state."""
    for node in sympy.preorder_traversal(slope):
        if (
            isinstance(node, (function("exp"), function("expm1"), function("sinh"), function("cosh")))
            and state in node.free_symbols
        ):
            return True
        if node.is_Pow and state in node.base.free_symbols and (not node.exp.is_number or node.exp > 1):
            return True
        if (
            node.is_Mul
            and sum(state in factor.free_symbols for factor in node.args if not (factor.is_Pow and factor.exp.is_negative)) > 1
        ):
            return True
    return False


# ---- the choice --------------------------------------------------------------------------------


def choose(model: CheckedModel, structure: Structure, system: System) -> tuple[str, str]:
    """The scheme's name and why. Raises UsageError for a name that is none, and for `auto` where only the author can choose."""
    asked, why = structure.method, "asked for by the caller"
    if asked is None and model.method is not None:
        asked, why = model.method, "recommended by the model"
    if asked is not None and asked != "auto":
        return _meant(model, _known(asked, system), why, system)
    return brian2_default(system, _refusal("exact", system)) if structure.conventions == "brian2" else _automatic(model, system)


def _meant(model: CheckedModel, name: str, why: str, system: System) -> tuple[str, str]:
    """What a scheme is called where the equations hold noise; Brian2's heun is that of noise in any model."""
    if system.brian2 and system.noise and name == "euler":
        noise.refuse_as_brian2(model.name, system)
    if system.brian2 and name == "heun":
        return noise.NOISY[name], f"{why}: Brian2's heun, whose drift is that of Euler"
    if system.noise and name in noise.NOISY:
        return noise.NOISY[name], f"{why}: {name} where there is noise"
    return name, why


def _known(name: str, system: System) -> str:
    plain = name.strip().lower().replace("-", "_")
    plain = ALIASES.get(plain, plain)
    if plain in SCHEMES:
        return plain
    near = get_close_matches(plain, [*SCHEMES, *ALIASES, "auto"], n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    able = f". For the white noise of this model: {', '.join(_able(system))}" if system.noise else ""
    raise UsageError(f"method: there is no scheme called {name!r}; {hint}known are auto, {', '.join(SCHEMES)}{able}")


def _automatic(model: CheckedModel, system: System) -> tuple[str, str]:
    if system.noise:
        return noise.automatic(model.name, system)
    refusal = _refusal("exact", system) or moving_factor(system)
    if refusal is None:
        return "exact", "every equation is linear with factors that are constant in a run"
    bent = next((s for s in system.states if not _linear_in_itself(system, s)), None)
    if bent is None:
        return "exponential_euler", f"not exact: {refusal}; but every equation is linear in its own variable"
    return "rk2", f"not exact: {refusal}; not exponential_euler: d{bent}/dt is not linear in {bent}"


def _linear_in_itself(system: System, state: str) -> bool:
    try:
        slope = sympy.diff(system.drift[state], sympy.Symbol(state))
    except ValueError:
        return False
    return sympy.Symbol(state) not in slope.free_symbols and not slope.has(sympy.Derivative, sympy.Subs)


def _refusal(name: str, system: System) -> str | None:
    try:
        SCHEMES[name].step(system)
    except Refusal as refusal:
        return str(refusal)
    return None


def _refused(model: CheckedModel, name: str, refusal: Refusal, system: System) -> str:
    able = ", ".join(_able(system)) or "none"
    return f"method: {name} cannot integrate {model.name}: {refusal}. Methods that can: {able}."


def _able(system: System) -> list[str]:
    return [name for name in SCHEMES if _refusal(name, system) is None]

"""One step whose spikes fall between the points of the grid.

Two phases. The first makes the step of every neuron, and finds those in whose step something happens: a spike, or the end of a refractory
period that stops the flow of some variable. It leaves these as they were; the second goes through them alone:

    held flow to the end of the refractory period      (where one ends in this step)
    free flow to the moment of the spike               (the zero of the condition's margin along it)
    the reset, at that moment
    held flow for the refractory period, free flow for what is left of the step

A neuron spikes at most once a step; a condition that holds again at its end is met at the start of the next step.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...backends.kernel import Constant, Expr, Kind, Operation, Symbol
from ..checked import Event
from ..safe_forms import smooth
from ..substitute import definitions, symbols_of, transform
from .crossing import crossings, first_zero, is_positive, margin, plainly, was_above
from .draft import Draft
from .events import above_at_start, block, events, is_read
from .flow import ONE, ZERO, Path, Start, Values, advance, along, clock, minus, path, plus, seen_at, times
from .integration import integrate
from .names import IS_REFRACTORY, LAST, LAST_PART, LAST_STEP, REFRACTORY, SPIKED
from .places import remember
from .reading import read

EVENTFUL, MOMENT = "@eventful", "@moment"
HALVINGS = 10  # of the way to the spike of a variable that runs away


@dataclass(frozen=True)
class Spike:
    """The spike event of a model: `condition` and `margin` are made plain, `crossed` the sides of its crossings.

    `lasting`: refractoriness has a duration; `switching`: it stops the flow of some variable. `runaway`: a variable explodes.
    """

    number: int
    event: Event
    condition: Expr
    margin: Expr
    crossed: tuple[tuple[Expr, Expr], ...]
    lasting: bool
    switching: bool
    runaway: bool


def step_to_spikes(draft: Draft) -> None:
    """Integration, spikes at their moments, and the other events on the grid."""
    spike = _spike(draft)
    _watch(draft, spike)
    draft.end_phase()
    refractory = draft.now.get(IS_REFRACTORY)
    draft.now[IS_REFRACTORY] = Constant(False)
    _go_through(draft, spike)
    draft.end_phase(where=EVENTFUL)
    draft.once = {}
    if refractory is not None:
        draft.now[IS_REFRACTORY] = refractory
    events(draft, [number for number in range(len(draft.model.events)) if number != spike.number])


def _spike(draft: Draft) -> Spike:
    model, system = draft.model, draft.discretised.system
    assert system is not None
    number, event = next((n, e) for n, e in enumerate(model.events) if e.name == "spike")
    written = definitions(model, dict(draft.structure.functions))
    whole = transform(event.condition, lambda node: written.get(node.name, node) if isinstance(node, Symbol) else node)
    condition = plainly(whole)
    lasting = model.refractory is not None and not model.refractory.condition
    return Spike(
        number=number,
        event=event,
        condition=smooth(condition, draft.kinds),
        margin=smooth(margin(condition), draft.kinds),
        crossed=tuple((smooth(left, draft.kinds), smooth(right, draft.kinds)) for left, right in crossings(whole)),
        lasting=lasting,
        switching=lasting and bool(system.switched),
        runaway=bool(system.ceilings),
    )


# ---- all neurons -----------------------------------------------------------------------------------


def _watch(draft: Draft, spike: Spike) -> None:
    """A whole step of every neuron; those in whose step something happens keep their values."""
    before = dict(draft.now)
    for number, (left, right) in enumerate(spike.crossed):
        draft.state(was_above(number), Kind.BOOLEAN, above_at_start(draft, left, right))
    integrate(draft)
    draft.time = Symbol("@t_next")
    flag = draft.assign(EVENTFUL, Kind.BOOLEAN, _something_happens(draft, spike))
    draft.array(EVENTFUL, Kind.BOOLEAN, written=True)
    draft.now[EVENTFUL] = flag
    for number, above in enumerate(_above(draft, spike)):
        draft.now[was_above(number)] = _either(draft, was_above(number), flag, Symbol(was_above(number)), above)
    for state in draft.discretised.step.new:
        draft.now[state] = _either(draft, state, flag, before[state], draft.now[state])
    if spike.lasting:
        less = Operation("maximum", (minus(Symbol(REFRACTORY), ONE), ZERO))
        draft.now[REFRACTORY] = _either(draft, REFRACTORY, flag, Symbol(REFRACTORY), less)
    elif draft.model.refractory is not None:
        draft.now[REFRACTORY] = draft.now[IS_REFRACTORY]
    if SPIKED in draft.now or is_read(draft, SPIKED):
        remember(draft, SPIKED)
        draft.now[SPIKED] = draft.assign(SPIKED, Kind.BOOLEAN, Constant(False))


def _something_happens(draft: Draft, spike: Spike) -> Expr:
    holds = read(draft, spike.condition)
    refractory = draft.now.get(IS_REFRACTORY, Constant(False))
    if not spike.lasting:
        return Operation("and", (Operation("not", (refractory,)), holds))
    happens = Operation("or", (holds, refractory)) if spike.switching else holds
    return Operation("and", (Operation("less", (Symbol(REFRACTORY), ONE)), happens))


def _above(draft: Draft, spike: Spike) -> list[Expr]:
    """Whether the left side of each crossing is above the right one."""
    return [Operation("greater", tuple(read(draft, side) for side in sides)) for sides in spike.crossed]


def _either(draft: Draft, name: str, flag: Symbol, yes: Expr, no: Expr) -> Symbol:
    return draft.assign(name, draft.kinds[name], Operation("where", (flag, yes, no)))


# ---- those in whose step something happens -----------------------------------------------------------


def _go_through(draft: Draft, spike: Spike) -> None:
    start, low, length = _released(draft, spike)
    free = path(draft, start, length)
    _gate(draft, spike, free, low)
    with seen_at(draft, free.end, ONE):
        flag = draft.assign(f"@event{spike.number}", Kind.BOOLEAN, read(draft, spike.condition))
    course = _approached(draft, spike, start, length) if spike.runaway else free
    u = first_zero(draft, lambda u: _margin(draft, spike, course, u), low, course.reach)
    moment = draft.assign(MOMENT, Kind.REAL, plus(course.start.since, times(course.span, u)))
    others = {**draft.now, **free.end, **({REFRACTORY: ZERO} if spike.lasting else {})}
    _spike_at(draft, spike, moment, along(draft, course, u), free)
    for name, value in list(draft.now.items()):
        if name in draft.arrays and value != others.get(name, Symbol(name)):
            draft.now[name] = _either(draft, name, flag, value, others.get(name, Symbol(name)))
    draft.time = Symbol("@t_next")
    for number, above in enumerate(_above(draft, spike)):
        draft.now[was_above(number)] = draft.assign(was_above(number), Kind.BOOLEAN, above)
    if draft.listing:
        draft.array(MOMENT, Kind.REAL, written=True)
        draft.now[MOMENT] = moment
        draft.emit(spike.number, flag, MOMENT)


def _released(draft: Draft, spike: Spike) -> tuple[Start, Expr, Expr]:
    """Where the free flow of this step begins, from where on along it a spike counts, and how long it lasts, in steps."""
    states: Values = {state: draft.now[state] for state in draft.discretised.step.new}
    left = Symbol(REFRACTORY)  # less than a step
    if not spike.switching:
        return Start(states), left if spike.lasting else ZERO, ONE
    held = advance(draft, Start(states, refractory=True), left)
    return Start(held, left), ZERO, draft.assign("@rest", Kind.REAL, minus(ONE, left))


def _gate(draft: Draft, spike: Spike, free: Path, low: Expr) -> None:
    """A crossing while the neuron was refractory is lost: what counts is whether the left side was above when that ended."""
    if not spike.lasting or not spike.crossed:
        return
    values = along(draft, free, low) if not spike.switching else free.start.values
    with seen_at(draft, values, plus(free.start.since, low)):
        found = _above(draft, spike)
    was = draft.assign("@was_refractory", Kind.BOOLEAN, Operation("greater", (Symbol(REFRACTORY), ZERO)))
    for number, above in enumerate(found):
        draft.now[was_above(number)] = _either(draft, was_above(number), was, above, Symbol(was_above(number)))


def _margin(draft: Draft, spike: Spike, course: Path, u: Expr) -> Symbol:
    names = [name for name in course.end if name in symbols_of(spike.margin)]
    with seen_at(draft, along(draft, course, u, names), plus(course.start.since, times(course.span, u))):
        return draft.assign("@margin", Kind.REAL, read(draft, spike.margin))


def _approached(draft: Draft, spike: Spike, start: Start, length: Expr) -> Path:
    """The last part of the way to the crossing, which is gone in steps that are halved as it comes nearer: an interpolant over the whole
    step knows nothing of a variable that takes off within it."""
    for _ in range(HALVINGS):
        length = draft.assign("@part", Kind.REAL, Operation("multiply", (Constant(0.5), length)))
        ahead, since = advance(draft, start, length), plus(start.since, length)
        with seen_at(draft, ahead, since):
            beyond = draft.assign("@beyond", Kind.BOOLEAN, is_positive(read(draft, spike.margin)))
        values = {state: _either(draft, state, beyond, start.values[state], ahead[state]) for state in ahead}
        since = draft.assign("@since", Kind.REAL, Operation("where", (beyond, start.since, since)))
        start = Start(values, since)
    return path(draft, start, length)


def _spike_at(draft: Draft, spike: Spike, moment: Symbol, values: Values, free: Path) -> None:
    """What follows a spike at that moment, up to the end of the step, as if every neuron had one."""
    draft.now.update(values)
    draft.time = clock(draft, moment)
    _note_spike(draft, moment)
    block(draft, spike.event.block)
    rest = draft.assign("@rest", Kind.REAL, minus(ONE, moment))
    lasting = _refractory_steps(draft, rest)
    after = Start({state: draft.now[state] for state in free.end}, moment)
    if spike.switching:
        assert lasting is not None
        still = draft.assign("@still", Kind.REAL, Operation("minimum", (lasting, rest)))
        held = advance(draft, Start(after.values, moment, refractory=True), still)
        draft.now.update(advance(draft, Start(held, plus(moment, still)), draft.assign("@rest", Kind.REAL, minus(rest, still))))
    elif spike.event.block:
        draft.now.update(advance(draft, after, rest))
    else:
        draft.now.update(free.end)


def _note_spike(draft: Draft, moment: Symbol) -> None:
    if LAST_STEP in draft.now or is_read(draft, LAST):
        remember(draft, LAST)
        draft.now[LAST_STEP], draft.now[LAST_PART] = Symbol("@step"), moment
    if SPIKED in draft.now:
        draft.now[SPIKED] = Constant(True)


def _refractory_steps(draft: Draft, rest: Symbol) -> Symbol | None:
    """How long the period that begins now lasts, in steps; what is left of it at the end of this step is kept."""
    refractory = draft.model.refractory
    if refractory is None:
        return None
    if refractory.condition:
        draft.now[REFRACTORY] = Constant(True)
        return None
    steps = Operation("divide", (read(draft, refractory.expression), Symbol("@dt")))
    lasting = draft.assign("@lasting", Kind.REAL, Operation("maximum", (steps, ZERO)))
    draft.now[REFRACTORY] = draft.assign(REFRACTORY, Kind.REAL, Operation("maximum", (minus(lasting, rest), ZERO)))
    return lasting

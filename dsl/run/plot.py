"""The figure of a result: stimulus above, traces, raster, and for many neurons their rate, over one axis of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .recorders.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import Result, Trace

MOST_TRACES = 5  # of neurons in one panel, if nobody says which
MOST_POINTS = 20_000  # of one line; more are thinned out by their extremes, so that no spike is lost
MANY = 60  # neurons, from which on a raster has points, and the mean rate a panel of its own
BINS = 100  # of the mean rate
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")  # told apart by everybody: Okabe & Ito 2008
INK, STIMULUS = "#222222", "#6b7280"
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9ca3af",
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.xmargin": 0.0,
    "font.size": 10,
    "lines.linewidth": 1.3,
    "lines.solid_joinstyle": "round",
    "xtick.color": "#6b7280",
    "ytick.color": "#6b7280",
    "text.color": INK,
    "legend.fontsize": 9,
    "legend.frameon": False,
}

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Draw = Callable[[Any], None]


@dataclass(frozen=True)
class Panel:
    """One panel: how high it is beside the others, and what draws it."""

    height: float
    draw: Draw


def figure(result: Result, names: object = None, neurons: object = None) -> Figure:
    """See `Result.plot`."""
    pyplot = _pyplot()
    scale, unit = (1000.0, "ms") if result.report.duration < 2 else (1.0, "s")
    if isinstance(neurons, slice):
        neurons = np.arange(result.n)[neurons]
    panels = list(_panels(result, _shown(result, names), neurons, scale))
    if not panels:
        spikes = "there are no spikes" if result.report.spikes else "spikes were not collected (spikes=False)"
        raise UsageError(f"plot: nothing was recorded, and {spikes}; ask for something in simulate(..., record=[...])")
    heights = [panel.height for panel in panels]
    # outside the style: the first figure of a process settles how figures are shown, which the end of the style would undo
    drawn = pyplot.figure(figsize=(9, 1.0 + 1.05 * sum(heights)), layout="constrained")
    with pyplot.rc_context(STYLE):
        axes = drawn.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axis, panel in zip(axes[:, 0], panels, strict=True):
            axis.locator_params(axis="y", nbins=5, steps=[1, 2, 2.5, 5, 10])
            panel.draw(axis)
        for axis in axes[:-1, 0]:
            axis.tick_params(bottom=False)
            axis.spines["bottom"].set_visible(False)
        start = result.report.start * scale
        if result.report.steps:
            axes[-1, 0].set_xlim(start, start + result.report.duration * scale)
        axes[-1, 0].set_xlabel(f"time ({unit})")
        axes[0, 0].set_title(f"{result.report.model}, {result.n} neuron{'s' if result.n > 1 else ''}", loc="left", pad=14)
        drawn.align_ylabels()
    return drawn  # type: ignore[no-any-return]


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise UsageError('plot needs matplotlib: python -m pip install "dvdt[plot]"') from None
    return pyplot


def _shown(result: Result, names: object) -> list[str]:
    if names is None:
        return list(result.traces)
    wanted = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else None
    if wanted is None:
        raise UsageError(f"plot: expected the name of something recorded, or a list of names, not {names!r}")
    for name in wanted:
        result[name]  # raises, with near names, for what was not recorded
    return wanted


def _panels(result: Result, shown: Sequence[str], neurons: object, scale: float) -> Iterator[Panel]:
    for name, trace in result.stimuli.items():
        if name not in shown:
            yield Panel(1.0, partial(_stimulus, name=name, trace=trace, scale=scale))
    traces = {name: result.traces[name] for name in shown}
    chosen = {name: _columns(name, trace, neurons) for name, trace in traces.items()}
    colours = _colours(traces, chosen)
    explained = False
    for group in _groups(traces, chosen):
        explain = not explained and len(group) == 1 and len(chosen[group[0]]) > 1
        explained |= explain
        drawn = [(name, traces[name], chosen[name]) for name in group]
        yield Panel(2.0, partial(_lines, drawn=drawn, colours=colours, scale=scale, explain=explain))
    for name, events in result.collected.items():
        if len(events):
            draw = partial(_raster, name=name, events=events, n=result.n, scale=scale, colours=colours)
            yield Panel(_height(result.n), draw)
    if result.n > MANY and len(result.collected.get("spike", ())):
        yield Panel(0.8, partial(_rate, result=result, scale=scale))


# ---- what is drawn -------------------------------------------------------------------------------


def _columns(name: str, trace: Trace, neurons: object) -> list[int]:
    """Which columns of a trace are drawn."""
    if neurons is None:
        return list(range(min(MOST_TRACES, len(trace.neurons))))
    asked = np.atleast_1d(np.asarray(neurons))
    trace.of(neurons, name)  # raises for a neuron that was not recorded
    return [int(k) for k in trace.columns(asked)]


def _colours(traces: Mapping[str, Trace], chosen: Mapping[str, Sequence[int]]) -> dict[int, str]:
    """One colour a neuron, the same in all panels; none where only one neuron is drawn."""
    drawn = dict.fromkeys(int(traces[name].neurons[column]) for name, columns in chosen.items() for column in columns)
    return {neuron: COLOURS[k % len(COLOURS)] for k, neuron in enumerate(drawn)} if len(drawn) > 1 else {}


def _groups(traces: Mapping[str, Trace], chosen: Mapping[str, Sequence[int]]) -> list[list[str]]:
    """The names that share a panel: courses of one neuron, in one unit, none of which would look flat beside the others."""
    groups: list[list[str]] = []
    for name, trace in traces.items():
        for group in groups:
            alike = all(traces[other].unit == trace.unit and len(chosen[other]) == len(chosen[name]) == 1 for other in group)
            if (
                alike
                and len(group) < len(COLOURS)
                and _all_seen([traces[each].values[:, chosen[each]] for each in (*group, name)])
            ):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _all_seen(courses: Sequence[NDArray[Any]]) -> bool:
    if any(course.size == 0 or not np.isfinite(course).all() for course in courses):
        return False
    low, high = np.array([(float(course.min()), float(course.max())) for course in courses]).T
    return bool((high - low).min() * 5 >= high.max() - low.min())


def _stimulus(axis: Any, name: str, trace: Trace, scale: float) -> None:
    t, values = _thinned(trace.t * scale, np.asarray(trace.values[:, 0], np.float64))
    axis.plot(t, values, color=STIMULUS, drawstyle="steps-post")
    if values.min() <= 0 <= values.max():
        axis.fill_between(t, values, step="post", color=STIMULUS, alpha=0.15, linewidth=0)
    axis.set_ylabel(name + _in(trace.unit))


def _lines(
    axis: Any,
    drawn: Sequence[tuple[str, Trace, Sequence[int]]],
    colours: Mapping[int, str],
    scale: float,
    explain: bool,
) -> None:
    for k, (name, trace, columns) in enumerate(drawn):
        for column in columns:
            neuron = int(trace.neurons[column])
            t, values = _thinned(trace.t * scale, np.asarray(trace.values[:, column], np.float64))
            label = name if len(drawn) > 1 else f"neuron {neuron}"
            axis.plot(t, values, color=colours.get(neuron, COLOURS[k]), label=label)
    axis.set_ylabel(", ".join(name for name, _, _ in drawn) + _in(drawn[0][1].unit))
    if explain or len(drawn) > 1:
        axis.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=min(len(axis.lines), 8), borderpad=0, handlelength=1.2)


def _in(unit: str) -> str:
    return "" if unit in ("1", "", "boolean", "integer") else f" ({_typeset(unit)})"


def _typeset(unit: str) -> str:
    """A unit as it is printed: µA/cm² for uA/cm^2."""
    raised = re.sub(r"\^\(?(-?\d+)\)?", lambda power: power[1].translate(SUPERSCRIPTS), unit)
    return re.sub(r"\bu(?=[A-Za-z])", "µ", raised).replace("ohm", "Ω").replace("*", "·")


def _raster(axis: Any, name: str, events: Spikes, n: int, scale: float, colours: Mapping[int, str]) -> None:
    few = n <= MANY
    size = min(max(70 * _height(n) / n, 4.0), 12.0) if few else min(max(60.0 / n**0.5, 0.8), 2.5)  # in points
    style = {"linestyle": "", "marker": "|" if few else ".", "markersize": size, "rasterized": len(events) > 5000}
    style |= {"markeredgewidth": 1.2 if few else 0.0}
    told = few and len(colours) > 1
    others = ~np.isin(events.i, list(colours)) if told else np.ones(len(events), bool)
    axis.plot(events.t[others] * scale, events.i[others], color=INK, **style)
    for neuron, colour in colours.items() if told else ():
        own = events.i == neuron
        axis.plot(events.t[own] * scale, events.i[own], color=colour, **style)
    axis.set_ylim(-0.5, n - 0.5)
    if n == 1:
        axis.set_ylabel("spikes" if name == "spike" else name, rotation=0, ha="right", va="center")
    else:
        axis.set_ylabel("neuron" if name == "spike" else f"{name}\nneuron")
    axis.set_yticks([] if n == 1 else _ticks(n))


def _height(n: int) -> float:
    """Of a raster, in the measure of the panels."""
    return 0.45 if n == 1 else 0.9 if n < 10 else 1.6


def _ticks(n: int) -> list[int]:
    """About four round numbers from 0 on."""
    apart = next(step for power in range(20) for step in (10**power, 2 * 10**power, 5 * 10**power) if n <= 5 * step)
    return list(range(0, n, apart))


def _rate(axis: Any, result: Result, scale: float) -> None:
    """Spikes a second and neuron, in bins of equal length."""
    start, duration = result.report.start, result.report.duration
    bins = min(BINS, result.report.steps)
    counts, edges = np.histogram(result.spikes.t, bins=bins, range=(start, start + duration))
    axis.stairs(counts / result.n / (duration / bins), edges * scale, fill=True, color=STIMULUS, alpha=0.5)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate (Hz)")


def _thinned(t: Any, values: Any) -> tuple[Any, Any]:
    """The least and the greatest value of each of many equal stretches, where there are more points than can be seen."""
    stride = 2 * len(t) // MOST_POINTS
    if stride < 4:
        return t, values
    rows = len(t) // stride
    grouped = values[: rows * stride].reshape(rows, stride)
    base = stride * np.arange(rows)
    places = np.sort(np.stack([base + np.argmin(grouped, axis=1), base + np.argmax(grouped, axis=1)], axis=1), axis=1).ravel()
    places = np.append(places, np.arange(rows * stride, len(t)))
    return t[places], values[places]

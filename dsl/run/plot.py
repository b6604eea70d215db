"""The figure of a result: stimulus above, traces, raster below, over one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from .recorders.spikes import Spikes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .result import Result, Trace

MOST_TRACES = 5  # of neurons in one panel, if nobody says which
MOST_POINTS = 20_000  # of one line; more are thinned out by their extremes, so that no spike is lost
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 11, "axes.labelsize": 12, "lines.linewidth": 1.3}


def figure(result: Result, names: object = None, neurons: object = None) -> Figure:
    """See `Result.plot`."""
    pyplot = _pyplot()
    shown = _shown(result, names)
    rasters = {name: events for name, events in result.events.items() if len(events)}
    panels = [*(("stimulus", name) for name in result.stimuli if name not in shown), *(("trace", name) for name in shown)]
    panels += [("raster", name) for name in rasters]
    if not panels:
        raise UsageError("plot: nothing was recorded, and there are no spikes; ask for something in simulate(..., record=[...])")
    scale, unit = (1000.0, "ms") if result.report.duration < 2 else (1.0, "s")
    heights = [{"stimulus": 1.0, "trace": 2.0, "raster": 1.6}[kind] for kind, _ in panels]
    with pyplot.rc_context(STYLE):
        drawn, axes = pyplot.subplots(
            len(panels),
            1,
            sharex=True,
            squeeze=False,
            figsize=(9, 1.0 + 1.1 * sum(heights)),
            height_ratios=heights,
            layout="constrained",
        )
        for axis, (kind, name) in zip(axes[:, 0], panels, strict=True):
            if kind == "raster":
                _raster(axis, name, rasters[name], result.n, scale)
            else:
                trace = result.stimuli[name] if kind == "stimulus" else result.traces[name]
                _lines(axis, name, trace, neurons, scale, "0.25" if kind == "stimulus" else None)
        start = result.report.start * scale
        axes[-1, 0].set_xlim(start, start + result.report.duration * scale)
        axes[-1, 0].set_xlabel(f"time ({unit})")
        axes[0, 0].set_title(f"{result.report.model}, {result.n} neuron{'s' if result.n > 1 else ''}", loc="left")
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
    wanted = [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]
    for name in wanted:
        result[name]  # raises, with near names, for what was not recorded
    return wanted


def _lines(axis: Any, name: str, trace: Trace, neurons: object, scale: float, colour: str | None) -> None:
    columns: Sequence[int] = range(min(MOST_TRACES, len(trace.neurons)))
    if neurons is not None and colour is None:
        asked = np.atleast_1d(np.asarray(neurons))
        trace.of(asked, name)  # raises for a neuron that was not recorded
        columns = [int(k) for k in np.searchsorted(trace.neurons, asked)]
    for column in columns:
        values = np.asarray(trace.values[:, column], np.float64)
        t, thinned = _thinned(trace.t * scale, values)
        style = {"drawstyle": "steps-post"} if colour else {}
        axis.plot(t, thinned, color=colour, label=f"neuron {trace.neurons[column]}", **style)
    axis.set_ylabel(name if trace.unit in ("1", "", "boolean", "integer") else f"{name} ({trace.unit})")
    if 1 < len(columns) <= MOST_TRACES and colour is None:
        axis.legend(loc="lower right", bbox_to_anchor=(1, 0.97), fontsize=9, frameon=False, ncols=len(columns), borderpad=0)


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


def _raster(axis: Any, name: str, events: Spikes, n: int, scale: float) -> None:
    axis.plot(
        events.t * scale,
        events.i,
        "|" if n <= 60 else ".",
        color="black",
        markersize=7 if n <= 60 else 2,
        rasterized=len(events) > 5000,
    )
    axis.set_ylim(-0.5, n - 0.5)
    axis.set_ylabel("neuron" if name == "spike" else f"{name}\nneuron")
    if n == 1:
        axis.set_yticks([0])

"""Makes docs/models.md, the page of the library: a card a model with its equations, parameters, reference and a figure of its response.

python docs/make_models.py             the page, and the figures that are missing
python docs/make_models.py --figures   the page, and all figures anew (needs matplotlib)
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

import dvdt
from dvdt.stdlib_models import FAMILIES, LIBRARY, Family

HERE = Path(__file__).parent
PAGE, FIGURES = HERE / "models.md", HERE / "models"
INPUTS = ("I", "Isyn", "x", "PSP")  # what a stimulus drives, the first of them that a model has
LADDER = [m * 10.0**e for e in range(-2, 5) for m in (1, 2, 5)]  # amplitudes that are tried
WANTED = 4  # spikes
SECOND = 200.0  # ms, of a model that says no duration

TITLE = """# The models of the library

This page is made from the library by `python docs/make_models.py`. `dvdt models NAME` prints a model as text, `dvdt run NAME --plot x.png` runs it.
Figures: a model that carries a stimulus is run with it, any other with a step of its input, of the smallest round size that makes it
spike; grey is the stimulus.
"""

# what a run needs beside the model: how many neurons, and values without which it says nothing
RING = np.where(np.eye(5) == 1, 0.0, 0.5)
SPREAD = np.linspace(0.05, 1, 20)
PROTOCOLS: Mapping[str, Mapping[str, Any]] = {
    "ngc_slif_lateral": {"n": 5, "parameters": {"W": RING}},
    "ngc_slif_lateral_sparse": {"n": 5, "parameters": {"W": RING}},
    "ngc_slif_sparse": {"n": 5},
    "ngc_lif": {"parameters": {"v_reset": -60}},
    "ngc_lif_one_spike": {"n": 5, "parameters": {"v_reset": -60}},
    "ngc_quad_lif": {"parameters": {"v_reset": -60, "a0": 0.01}},
    "ngc_quad_lif_one_spike": {"n": 5, "parameters": {"v_reset": -60, "a0": 0.01}},
    "izhikevich_norse_recurrent": {"n": 5, "parameters": {"W_rec": 8 * RING}},
    "izhikevich_excitatory": {"n": 20},
    "izhikevich_inhibitory": {"n": 20},
    "spike_times": {"n": 3, "parameters": {"times": dvdt.spike_times([[10, 20, 100], [50, 150], [30, 31, 32, 180]])}},
    "ngc_poisson": {"n": 20, "parameters": {"x": SPREAD}},
    "ngc_latency": {"n": 20, "parameters": {"x": SPREAD}},
    "ngc_latency_log": {"n": 20, "parameters": {"x": SPREAD}},
    "binary_spike_input": {"n": 2, "parameters": {"x": dvdt.TimedSeries(np.array([[1.0, 0], [0, 1]] * 5), "20 ms")}},
    "poisson_input": {"n": 20, "parameters": {"x": SPREAD / 5}},
    "spaic_poisson": {"n": 20, "parameters": {"x": SPREAD / 5}},
    "spaic_bernoulli": {"n": 20, "parameters": {"x": SPREAD / 20}},
    "poisson": {"n": 20, "parameters": {"rate": "50 Hz"}},
    "bernoulli": {"n": 20},
    "regular": {"parameters": {"period": "20 ms", "offset": "20 ms"}},
    "latency": {"n": 20, "length": 10, "parameters": {"x": SPREAD}},
    "relative_latency": {"n": 20, "length": 10, "parameters": {"x": SPREAD}},
    "uniform_train": {"n": 20, "parameters": {"x": SPREAD}},
    "poisson_generator": {"n": 20},
    "poisson_generator2": {"n": 20, "parameters": {"rate": 0.05}},
    "few_spike_relu_input": {"length": 10, "parameters": {"x": 13.0}},
    "lif_two_exponential": {"length": 20},
    "plif": {"length": 5},
    "pclif": {"length": 40},
    "lif_int": {"length": 20},
    "hh_spaic": {"length": 100, "parameters": {"I": 0.1}},
    "ramp_current": {"parameters": {"end_time": 150}},
}

# ---- the page ---------------------------------------------------------------------------------------


def page() -> str:
    """The whole page; no figure is looked at."""
    parts = [TITLE, contents()]
    for family in FAMILIES:
        parts.append(f"## {family.title}\n")
        parts += [card(name, family) for name in family.models]
    return "\n".join(parts)


def contents() -> str:
    lines = []
    for family in FAMILIES:
        links = " · ".join(f"[`{name}`](#{name})" for name in family.models)
        lines.append(f"- **{family.title}**: {links}")
    return "\n".join(lines) + "\n"


def card(name: str, family: Family) -> str:
    model = dvdt.model(name)
    aliases = ", ".join(f"`{alias}`" for alias in LIBRARY[name].aliases)
    said = [
        f"from {family.source}" if family.source != "textbook" else "",
        f"also {aliases}" if aliases else "",
        recommended(model),
    ]
    lines = [
        f'<a name="{name}"></a>',
        f"### {name}\n",
        " · ".join(part for part in said if part) + "\n",
        model.description.strip() + "\n",
        f"![response of {name}](models/{name}.png)\n",
        f"$$\n{model.latex()}\n$$\n",
        table(model),
    ]
    return "\n".join(line for line in lines if line)


def recommended(model: dvdt.Model) -> str:
    checked = model.checked
    step = "" if checked.dt is None else f"dt {checked.dt:g} ms"
    order = f"({', '.join(checked.order)})" if checked.order else ""
    return ", ".join(part for part in (f"`{checked.method}{order}`" if checked.method else "", step) if part)


def table(model: dvdt.Model) -> str:
    """Parameters with their defaults and units; their formulas stand among the equations."""
    entries = model.parameters.values()
    if not entries:
        return ""
    rows = [f"| `{e.name}` | {cell(e.default)} | {'' if e.unit == '1' else e.unit} | {e.description} |" for e in entries]
    return "\n".join(["| parameter | default | unit | |", "| --- | --- | --- | --- |", *rows]) + "\n"


def cell(default: str) -> str:
    return f"`{default}`" if default else "to be given"


# ---- the figures ------------------------------------------------------------------------------------


def response(name: str) -> dvdt.Result:
    """A run that shows what the model does."""
    model, protocol = dvdt.model(name).checked, dict(PROTOCOLS.get(name, {}))
    given = dict(protocol.pop("parameters", {}))
    length = protocol.pop("length", model.duration or SECOND)
    record = [state.name for state in model.states[:1] if state.name != "made"]
    if not record and model.signal is not None and not model.events:
        record = ["output"]
    run = {"record": record, "seed": 3, "duration": f"{length} ms", **protocol}
    driven = next((each for each in INPUTS if any(p.name == each for p in model.parameters)), None)
    settled = driven is None or driven in given or carries(model, driven)
    if settled:
        return dvdt.simulate(name, parameters=given, **run)
    found = None
    for size in LADDER if model.events else [1.0]:
        result = stepped(name, driven, size, given, length, run)
        if result is not None and (len(result.spikes) >= WANTED * result.n or not model.events):
            return result
        found = result or found
    assert found is not None, f"{name} runs with no stimulus"
    return found


def carries(model: Any, driven: str) -> bool:
    """Whether the default of its input is a stimulus already."""
    default = next(p.default for p in model.parameters if p.name == driven)
    return default is not None and getattr(default, "value", 1) != 0


def stepped(
    name: str, driven: str, size: float, given: Mapping[str, Any], length: float, run: Mapping[str, Any]
) -> dvdt.Result | None:
    """A run with a step of the input over the middle of the time; None where it leaves the numbers."""
    steps = np.zeros(20)
    steps[2:16] = size
    series = dvdt.TimedSeries(steps, f"{length / 20} ms")
    try:
        return dvdt.simulate(name, parameters={**given, driven: series}, **run)
    except dvdt.RunError:
        return None


def draw(name: str, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    result = response(name)
    trains = result.n > 1 and not result.names
    figure, axes = pyplot.subplots(figsize=(5, 1.7), layout="constrained")
    shown = next(iter(result.names), None)
    start, stop = result.report.start * 1e3, (result.report.start + result.report.duration) * 1e3
    if shown is not None:
        trace = result.traces[shown]
        for column in range(min(trace.values.shape[1], 5)):
            axes.plot(trace.t * 1e3, np.asarray(trace.values[:, column], float), linewidth=0.8)
        axes.set_ylabel(shown if trace.unit in ("1", "", "boolean", "integer") else f"{shown} ({trace.unit})", fontsize=7)
        few = result.spikes.i < 5
        top = axes.get_ylim()[1]
        axes.plot(result.spikes.t[few] * 1e3, np.full(few.sum(), top), "|", color="black", markersize=5, clip_on=False)
    if trains or shown is None:
        axes.plot(result.spikes.t * 1e3, result.spikes.i, "|", color="black", markersize=4)
        axes.set_ylabel("neuron", fontsize=7)
        axes.set_ylim(-0.6, result.n - 0.4)
    stimulus(result, axes)
    axes.set_xlim(start, stop)
    axes.set_xlabel("time (ms)", fontsize=7)
    axes.tick_params(labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=100)
    pyplot.close(figure)
    Image.open(drawn).convert("RGB").quantize(32).save(path, optimize=True)  # a quarter of the size


def stimulus(result: dvdt.Result, axes: Any) -> None:
    course = next((result.stimuli[name] for name in INPUTS if name in result.stimuli), None)
    if course is None:
        return
    values = np.asarray(course.values[:, 0], float)
    beside = axes.twinx()
    beside.step(course.t * 1e3, values, where="post", color="0.6", linewidth=0.8)
    low, high = min(values.min(), 0), max(values.max(), 0)
    beside.set_ylim(low - 0.05 * (high - low), high + 2.5 * (high - low) + 1e-12)
    beside.set_yticks([v for v in (low, high) if v])
    beside.tick_params(labelsize=6, colors="0.5")
    beside.spines[["top", "right"]].set_visible(False)


def main(arguments: list[str]) -> None:
    FIGURES.mkdir(exist_ok=True)
    for name in LIBRARY:
        path = FIGURES / f"{name}.png"
        if "--figures" in arguments or not path.exists():
            draw(name, path)
    for path in FIGURES.glob("*.png"):
        if path.stem not in LIBRARY:
            path.unlink()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

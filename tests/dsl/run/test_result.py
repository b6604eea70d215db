"""Results: rates, trains, units, files, figures."""

import json
import pickle
import warnings
import zipfile

import numpy as np
import pytest

import dvdt
from dvdt.dsl.run.plot import MOST_POINTS, _thinned

CLOCK = """
    x(0) = 0 mV
    k(0) = 0
    period = 5 + 5*i
    each step:
        k = k + 1
        x = k * 1 V
    spike when k % period == 0
    on half when k % 50 == 0: x = x
"""


@pytest.fixture(scope="module")
def result():
    """Neuron i spikes every 5 (i + 1) steps of 0.1 ms."""
    parameters = {"drive": dvdt.step("0 pA", "5 pA", start="1 ms", stop="3 ms")}
    text = CLOCK + "drive = 0 pA\ny = drive * 2 : pA"
    return dvdt.simulate(
        text, "10 ms", n=3, record={"x": None, "y": dvdt.record(every="1 ms")}, parameters=parameters, backend="reference", seed=9
    )


def test_rates(result):
    assert result.rates() == pytest.approx([2000.0, 1000.0, 600.0])


def test_rates_in_windows(result):
    windows = result.rates("4 ms")
    assert windows.shape == (3, 3)
    assert windows[:2] == pytest.approx(np.array([[8, 4, 2], [8, 4, 3]]) / 4e-3)
    assert windows[2] == pytest.approx(np.array([4, 2, 1]) / 2e-3)  # the last window is 2 ms long
    assert windows[:, 0] == pytest.approx([2000.0] * 3)
    for window in ("0 ms", "11 ms", "1 mV", 3):
        with pytest.raises(dvdt.UsageError, match="window"):
            result.rates(window)


@pytest.mark.parametrize("conventions", ["dvdt", "brian2", "nest"])
def test_a_spike_counts_in_the_window_of_its_step(conventions):
    run = dvdt.simulate(CLOCK, "10 ms", n=1, backend="reference", conventions=conventions)
    assert run.rates("0.5 ms") == pytest.approx(np.full((20, 1), 2000.0))


def test_spike_trains(result):
    trains = result.spike_trains()
    assert len(trains) == 3
    assert trains[1] == pytest.approx(np.arange(1, 11) * 1e-3)
    assert sum(map(len, trains)) == len(result.spikes)


def test_units(result):
    assert result.units["x"] == "mV"
    assert result["x"][1, 0] == 1000.0
    assert result.final_state["x"].tolist() == [100000.0] * 3
    assert result.final_state.si("x").tolist() == [100.0] * 3
    assert result.final_state.si("k").tolist() == [100] * 3


def test_names_that_are_not_there(result):
    with pytest.raises(dvdt.UsageError, match="known: x, y"):
        result["xx"]
    with pytest.raises(dvdt.UsageError, match="no state 'y'"):
        result.final_state["y"]
    assert "x" in result
    assert "z" not in result
    for names in (result.units, result.times, result.events, result.final_state):
        with pytest.raises(dvdt.UsageError, match=r"'hafl'.*known: "):
            names["hafl"]
        assert "hafl" not in names
        assert names.get("hafl") is None


def test_what_is_no_path(result):
    for call in (result.save, dvdt.load_result, dvdt.load, dvdt.load_library, dvdt.resume, dvdt.Simulation.load):
        with pytest.raises(dvdt.UsageError, match=r": expected a path, as text or a Path, not 3"):
            call(3)
    with pytest.raises(dvdt.UsageError, match="checkpoint: expected a path"):
        dvdt.simulate("lif", "1 ms", checkpoint=3)


def test_report_reads_like_a_mapping_and_as_text(result):
    assert result.report["seed"] == result.report.seed == 9
    assert dict(result.report.items())["n"] == 3
    assert "seed       9" in str(result.report)
    assert "<table>" in result._repr_html_()
    with pytest.raises(KeyError):
        result.report["speed"]


def test_a_file_holds_it_all(result, tmp_path):
    path = tmp_path / "result.npz"
    result.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["result.npz"]
    read = dvdt.load_result(path)
    assert read.report == result.report
    for name in ("x", "y"):
        assert np.array_equal(read[name], result[name])
        assert np.array_equal(read.times[name], result.times[name])
        assert read.units[name] == result.units[name]
    for name in ("spike", "half"):
        assert np.array_equal(read.events[name].t, result.events[name].t)
        assert np.array_equal(read.events[name].i, result.events[name].i)
    assert np.array_equal(read.final_state["x"], result.final_state["x"])
    assert np.array_equal(read.final_state.si("x"), result.final_state.si("x"))
    assert np.array_equal(read.stimuli["drive"].values, result.stimuli["drive"].values)
    assert np.array_equal(read.rates("1 ms"), result.rates("1 ms"))


def test_a_result_without_a_final_state_can_be_kept(tmp_path):
    with pytest.raises(dvdt.RunError) as caught:
        dvdt.simulate("dv/dt = v^2/(1 ms)\nv(0) = 1", "10 ms", record=["v"], method="euler", backend="reference")
    caught.value.result.save(tmp_path / "partial.npz")
    assert np.array_equal(dvdt.load_result(tmp_path / "partial.npz")["v"], caught.value.result["v"])


def test_a_file_is_written_at_once_or_not_at_all(result, tmp_path):
    path = tmp_path / "result.npz"
    path.write_text("precious")
    with pytest.raises(dvdt.UsageError, match="cannot be written"):
        result.save(tmp_path / "missing" / "result.npz")
    with pytest.raises(dvdt.UsageError, match="cannot be written"):
        result.save(tmp_path)
    assert path.read_text() == "precious"
    result.save(path)
    assert len(dvdt.load_result(path).spikes) == len(result.spikes)


def test_foreign_files_are_refused(result, tmp_path):
    path = tmp_path / "file.npz"
    with pytest.raises(dvdt.UsageError, match=r"file\.npz"):
        dvdt.load_result(path)
    for content in (b"", b"hello", b"PK\x03\x04", b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(dvdt.UsageError, match="load_result"):
            dvdt.load_result(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(dvdt.UsageError, match="load_result"):
        dvdt.load_result(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(dvdt.UsageError, match="load_result"):
        dvdt.load_result(path.with_suffix(".npy"))
    np.savez(path, index=np.array([{"a": 1}], object))
    with pytest.raises(dvdt.UsageError, match="load_result"):
        dvdt.load_result(path)


def test_damaged_and_later_files_are_refused(result, tmp_path):
    path = tmp_path / "file.npz"
    result.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(dvdt.UsageError, match="load_result"):
        dvdt.load_result(path)
    path.write_bytes(whole)
    with np.load(path) as file:
        arrays = dict(file)
    index = json.loads(arrays["index"].tobytes())
    for change in ({"version": 99}, {"format": "other"}, {"report": {}}, {"traces": [{"key": "none"}]}):
        changed = np.frombuffer(json.dumps({**index, **change}).encode(), np.uint8)
        np.savez(path, **{**arrays, "index": changed})
        with pytest.raises(dvdt.UsageError, match="load_result"):
            dvdt.load_result(path)
    assert zipfile.is_zipfile(path)


def test_figure_of_a_moment():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = dvdt.simulate("lif", "0 ms", record=["v"], backend="reference").plot()
    assert len(figure.axes) >= 1


def test_figure(result):
    figure = result.plot()
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == ["drive (pA)", "x (mV)", "y (pA)", "neuron", "half\nneuron"]
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    stimulus = figure.axes[0].lines[0].get_xydata()
    assert stimulus[:, 1].max() == 5.0
    assert stimulus[-1, 0] == pytest.approx(10.0)
    drawn = np.concatenate([line.get_xydata() for line in figure.axes[3].lines])
    drawn = drawn[np.lexsort((drawn[:, 1], drawn[:, 0]))]
    assert drawn == pytest.approx(np.stack([1000 * result.spikes.t, result.spikes.i], axis=1))
    assert [axis.get_ylabel() for axis in result.plot(["x"], neurons=[2]).axes][1] == "x (mV)"
    assert len(result.plot(["x"], neurons=slice(0, 2)).axes[1].lines) == 2
    with pytest.raises(dvdt.UsageError, match="plot: expected the name of something recorded, or a list of names, not 3"):
        result.plot(3)
    with pytest.raises(dvdt.UsageError, match="not recorded"):
        result.plot(["z"])
    with pytest.raises(dvdt.UsageError, match="not recorded"):
        result.plot(["x"], neurons=[7])
    nothing = dvdt.simulate("x(0) = 0\neach step: x = 1 - x", "1 ms", backend="reference")
    with pytest.raises(dvdt.UsageError, match="record="):
        nothing.plot()


def test_thinning_keeps_the_extremes():
    t = np.arange(1_000_001.0)
    values = np.sin(t / 1e5)
    values[123_456], values[900_001] = 50.0, -50.0
    thin_t, thin = _thinned(t, values)
    assert len(thin) < 1.1 * MOST_POINTS
    assert thin.max() == 50.0
    assert thin.min() == -50.0
    assert np.all(np.diff(thin_t) >= 0)
    assert thin_t[-1] == t[-1]


def test_a_neuron_has_one_colour_in_all_panels(result):
    figure = result.plot("x")
    traces, raster = figure.axes[1].lines, figure.axes[2].lines
    assert len({line.get_color() for line in traces}) == 3
    assert [line.get_label() for line in traces] == ["neuron 0", "neuron 1", "neuron 2"]
    own = {line.get_color(): {int(i) for i in line.get_ydata()} for line in raster if len(line.get_ydata())}
    assert own == {line.get_color(): {k} for k, line in enumerate(traces)}


def test_courses_of_one_neuron_share_a_panel_where_all_can_be_seen():
    text = "x = sin(t/(1 ms)); y = 0.5*cos(t/(1 ms)); z = 50*x; k(0) = 1 mV"
    result = dvdt.simulate(text, "10 ms", record=["x", "y", "z", "k"], backend="reference")
    assert [axis.get_ylabel() for axis in result.plot().axes] == ["x, y", "z", "k (mV)"]


def test_units_are_typeset_and_many_neurons_have_a_rate():
    text = "j = 1 uA/cm^2; x(0) = 0; each step: x = x + 1\nspike when x % 10 == i % 10"
    result = dvdt.simulate(text, "10 ms", n=100, record=["j"], backend="reference")
    figure = result.plot()
    assert [axis.get_ylabel() for axis in figure.axes] == ["j (µA/cm²)", "neuron", "rate (Hz)"]
    heights, edges, _ = figure.axes[2].patches[0].get_data()
    assert edges[[0, -1]] == pytest.approx([0.0, 10.0])
    assert heights.mean() * 0.010 * 100 == pytest.approx(len(result.spikes))


def test_a_notebook_shows_what_happened_first(result):
    html = result._repr_html_()
    assert html.index("36 of 3 neurons") < html.index("<details>") < html.index("seed")
    assert "x [mV] 101 x 3" in html


def test_a_population_tells_what_was_set():
    text = "dv/dt = (E - v + R*I)/tau : mV; E = -70 mV <b>; R = 1 Mohm; tau = 1 ms; I = 0 nA; g = 1 nS".replace(" <b>", "")
    values = {
        "E": "-65 mV",
        "R": dvdt.normal("1 Mohm", "0.1 Mohm"),
        "tau": np.array([1.0, 3.0]),
        "I": dvdt.step("0 nA", "1 nA", start="1 ms", stop="2 ms"),
        "g": 2.5,
    }
    population = dvdt.Population(
        dvdt.Model(text, name="cell"), 2, parameters=values, state={"v": dvdt.uniform("-70 mV", "-60 mV")}
    )
    lines = [
        "E = -65 mV",
        "R = normal, mean 1 Mohm, std 0.1 Mohm",
        "tau = 2 values from 1 to 3 ms",
        "I = step from 0 nA to 1 nA at 1 ms, back at 2 ms",
        "g = 2.5 nS",
        "v(0) = uniform, from -70 mV to -60 mV",
    ]
    assert repr(population) == f"Population('cell', 2, {', '.join(lines)})"
    html = population._repr_html_()
    assert all(line.split(" = ")[1] in html for line in lines)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (dvdt.ramp("0 pA", "5 pA", stop="3 ms"), "ramp from 0 pA at 0 ms to 5 pA at 3 ms"),
        (dvdt.noise("0 pA", "5 pA", "2 ms"), "noise about 0 pA, std 5 pA, tau 2 ms"),
        (dvdt.function("1 pA*sin(t/(1 ms))"), "1 pA*sin(t/(1 ms))"),
        (dvdt.TimedSeries(np.zeros((4, 3)), "1 ms"), "series of 4 x 3 values, every 1 ms"),
        ("1 pA + " * 20 + "1 pA", "..."),
    ],
)
def test_values_in_a_few_words(given, told):
    population = dvdt.Population("dv/dt = I/C : mV; C = 1 pF; I = 0 pA", 3, parameters={"I": given})
    assert f"I = {told}" in repr(population) or (told == "..." and len(repr(population)) < 120)


def test_the_second_figure_of_a_notebook_is_shown_too(result, monkeypatch):
    """The first figure of a process makes matplotlib interactive where a notebook shows figures; that has to last."""
    matplotlib = pytest.importorskip("matplotlib")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    first = pyplot.figure

    def as_in_a_notebook(*arguments, **kwargs):
        matplotlib.interactive(True)
        return first(*arguments, **kwargs)

    monkeypatch.setattr(pyplot, "figure", as_in_a_notebook)
    try:
        result.plot()
        assert matplotlib.is_interactive()
    finally:
        matplotlib.interactive(False)


def test_results_go_to_other_processes(result):
    """What a pool of processes does with what its workers return."""
    read = pickle.loads(pickle.dumps(result))
    assert read.report == result.report
    assert np.array_equal(read["x"], result["x"])
    assert np.array_equal(read.spikes.t, result.spikes.t)
    assert np.array_equal(read.rates(), result.rates())
    assert np.array_equal(read.final_state["x"], result.final_state["x"])
    assert np.array_equal(read.final_state.si("x"), result.final_state.si("x"))
    with pytest.raises(dvdt.UsageError, match="known: "):
        read.events["hafl"]


def test_models_populations_and_trouble_go_to_other_processes():
    model = dvdt.model("adex")
    assert pickle.loads(pickle.dumps(model)) == model
    assert pickle.loads(pickle.dumps(dvdt.Population(model, 3, parameters={"I": "1 nA"}))).n == 3
    with pytest.raises(dvdt.RunError) as caught:
        dvdt.simulate("dv/dt = v^2/(1 mV*ms); v(0) = 1 mV", "10 ms", method="euler", record=["v"], backend="reference")
    trouble = pickle.loads(pickle.dumps(caught.value))
    assert str(trouble) == str(caught.value)
    assert np.array_equal(trouble.result["v"], caught.value.result["v"])
    with pytest.raises(dvdt.UsageError, match=r"sim\.save"):
        pickle.dumps(dvdt.Simulation("lif", backend="reference"))

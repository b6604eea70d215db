"""The output of a neuron: recorded under its name, in its unit and kind."""

import numpy as np
import pytest

import dvdt

TEXT = """
    dv/dt = (I - g*v)/C : volt
    C = 100 pF;  g = 10 nS;  I = 100 pA
    k : integer
    each step: k = k + 1
    spike when v > 5 mV: v = 0 mV
    output {}
"""


def run(output, **kwargs):
    kwargs = {"n": 2, "backend": "reference", "method": "exact", "record": ["v", "k", "output"], **kwargs}
    return dvdt.simulate(TEXT.format(output), "20 ms", **kwargs)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
@pytest.mark.parametrize(
    ("output", "unit", "dtype", "expected"),
    [
        ("v", "volt", "float64", lambda v, k: v),
        ("g*v", "pA", "float64", lambda v, k: 10e3 * v),
        ("clip(v, 0 mV, 2 mV)", "mV", "float64", lambda v, k: np.clip(1e3 * v, 0, 2)),
        ("v > 2 mV", "boolean", "bool", lambda v, k: v > 0.002),
        ("2*k", "integer", "int64", lambda v, k: 2 * k),
        ("mean(v)", "mV", "float64", lambda v, k: 1e3 * v),
        ("exp(-v/(1 mV))", "1", "float64", lambda v, k: np.exp(-1e3 * v)),
    ],
)
def test_output_is_evaluated_last_in_the_step(output, unit, dtype, expected, backend):
    """From the values that stand after the resets: those that are recorded beside it. Before the first step there is none."""
    result = run(output, backend=backend)
    assert len(result.spikes) > 0
    assert result.units["output"] == unit
    assert result["output"].dtype == dtype
    assert not result["output"][0].any()
    assert result["output"][1:] == pytest.approx(expected(result["v"], result["k"])[1:], rel=1e-12)
    assert np.array_equal(result["output", 1], result["output"][:, 1])


def test_a_sticky_output_keeps_what_the_spike_said():
    """An output that reads `spiked` is 1 in the step of the spike alone, the spikes themselves stay as they are."""
    result = run("int(spiked)")
    assert result["output"][:, 0].sum() == len(result.spikes) / 2
    assert result.t[np.flatnonzero(result["output"][:, 0])] == pytest.approx(result.spikes.t[::2])


def test_a_model_without_output_has_none_to_record():
    with pytest.raises(dvdt.UsageError, match="'output'"):
        dvdt.simulate("adex", "1 ms", record=["output"], backend="reference")
    assert dvdt.model("adex").output is None


def test_a_variable_of_that_name_is_what_is_recorded():
    text = "doutput/dt = 1 mV/ms; output(0) = 3 mV; output 2*output"
    result = dvdt.simulate(text, "1 ms", record=["output"], backend="reference")
    assert result["output"][[0, -1], 0] == pytest.approx([3.0, 4.0])


def test_output_cannot_be_set():
    with pytest.raises(dvdt.UsageError, match="cannot be set"):
        run("v", parameters={"output": 1.0})


def test_a_model_tells_its_output():
    model = dvdt.Model(TEXT.format("g*v   # what the synapse sees"))
    assert str(model.output) == "output = g*v : pA  # what the synapse sees"
    assert "output g*v" in repr(model)
    assert "output" in model.latex()
    assert dvdt.Model(str(model)) == model


@pytest.mark.parametrize(("output", "dtype"), [("v > 2 mV", "bool"), ("2*k", "int64"), ("g*v", "float32")])
def test_a_result_with_an_output_is_read_back(output, dtype, tmp_path):
    result = run(output, precision="float32")
    result.save(tmp_path / "r.npz")
    read = dvdt.load_result(tmp_path / "r.npz")
    assert read["output"].dtype == result["output"].dtype == dtype
    assert np.array_equal(read["output"], result["output"])
    assert read.units == result.units
    assert read.report == result.report
    assert str(read) == str(result)
    assert read.rates(window="5 ms").tolist() == result.rates(window="5 ms").tolist()

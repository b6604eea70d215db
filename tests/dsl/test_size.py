"""How large a model may be: counted before anything is written out."""

from __future__ import annotations

import numpy as np
import pytest

import dvdt


def doubling(length: int, first: str) -> str:
    """Written out, y_k = y*y + y has T(k) = 2 + 3 T(k-1) terms: 13,121 for k = 8, 39,365 for k = 9."""
    return "\n".join([f"y0 = {first}", *[f"y{k} = y{k - 1}*y{k - 1} + y{k - 1}" for k in range(1, length + 1)]])


def sums(length: int) -> str:
    return "\n".join(["a0 = 1", "a1 = 1", *[f"a{k} = (a{k - 1} + a{k - 2})/2" for k in range(2, length)]])


def test_the_bound_of_one_equation_lies_where_the_count_says() -> None:
    dvdt.Model(f"dv/dt = y8/(1 ms) : 1\n{doubling(8, 'v')}")
    with pytest.raises(dvdt.ModelError, match=r"more than 20000 terms(.|\n)*most of it is `y9`"):
        dvdt.Model(f"dv/dt = y9/(1 ms) : 1\n{doubling(9, 'v')}")


def test_a_function_counts_with_the_definitions_that_it_reads() -> None:
    with pytest.raises(dvdt.ModelError, match="more than 20000 terms"):
        dvdt.Model(f"dv/dt = (f(v) + f(2*v))/(1 ms) : 1\nf(x) = x*y8\n{doubling(8, 'v')}")


def test_a_long_chain_of_quantities_is_refused_where_it_is_too_deep_to_walk() -> None:
    chain = "\n".join(["a0 = v", *[f"a{k} = a{k - 1} + {k}" for k in range(1, 400)]])
    dvdt.simulate(f"dv/dt = -a100/(1 ms) : 1\n{chain[: chain.index('a101')]}", "1 ms", dt="0.1 ms", backend="reference")
    with pytest.raises(dvdt.ModelError, match="more than 150 levels"):
        dvdt.Model(f"dv/dt = -a399/(1 ms) : 1\n{chain}")


def test_parameters_may_follow_each_other_any_number_of_times() -> None:
    """Each is worked out once: neither the time nor the stack grows with the ways through them."""
    text = f"dv/dt = -v*a199/(1 ms) : 1\nv(0) = 1\n{sums(200)}"
    result = dvdt.simulate(text, "1 ms", dt="0.1 ms", method="euler", backend="reference", parameters={"a1": 4})
    assert float(result.final_state["v"][0]) == pytest.approx((1 - 0.1 * 3) ** 10, rel=1e-12)  # the limit is (a0 + 2 a1)/3


def test_setting_a_parameter_reaches_all_that_follow_it() -> None:
    sim = dvdt.Simulation(f"dv/dt = a59/(1 ms) : 1\n{sums(60)}", dt="0.1 ms", method="euler", backend="reference")
    sim.parameters["a1"] = 4
    sim.run("1 ms")
    assert float(sim.state["v"][0]) == pytest.approx(3.0, rel=1e-12)


def test_parameters_that_follow_what_varies_in_time_are_counted_too() -> None:
    drive = {"y0": dvdt.TimedSeries(np.linspace(0, 0.1, 10), "0.1 ms")}
    dvdt.simulate(f"dv/dt = y4/(1 ms) : 1\n{doubling(4, '1')}", "1 ms", dt="0.1 ms", backend="reference", parameters=drive)
    with pytest.raises(dvdt.UsageError, match="y9 follows what varies in time, and has more than 20000 terms"):
        dvdt.simulate(f"dv/dt = y30/(1 ms) : 1\n{doubling(30, '1')}", "1 ms", dt="0.1 ms", parameters=drive)

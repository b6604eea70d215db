"""Noisy models against theory: Ornstein-Uhlenbeck processes, the means of Ito and Stratonovich, the rate of a noisy LIF, and draws.

Bounds are four standard errors of the sample beside what the discretisation is known to do.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import erfcx

import dvdt

# ---- Ornstein and Uhlenbeck --------------------------------------------------------------------

OU = "dx/dt = (m - x)/tau + sigma*sqrt(2/tau)*xi; m = 2; tau = 10 ms; sigma = 3"


def factor(method: str, dt: float, tau: float = 10.0) -> float:
    """What a step leaves of a deviation from the mean."""
    z = dt / tau
    return {"euler_maruyama": 1 - z, "milstein": 1 - z, "heun_stratonovich": 1 - z + z * z / 2}[method]


def variance(method: str, dt: float, tau: float = 10.0, sigma: float = 3.0) -> float:
    """The stationary variance of the discrete process x' = a x + b N(0, 1): b^2/(1 - a^2)."""
    z = dt / tau
    kick = sigma * np.sqrt(2 * z) * {"euler_maruyama": 1, "milstein": 1, "heun_stratonovich": 1 - z / 2}[method]
    return float(kick**2 / (1 - factor(method, dt, tau) ** 2))


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    ("method", "dt"), [("euler_maruyama", 0.1), ("euler_maruyama", 4.0), ("milstein", 4.0), ("heun_stratonovich", 4.0)]
)
def test_mean_variance_and_autocorrelation_of_an_ornstein_uhlenbeck_process(method: str, dt: float, precision: str) -> None:
    """The exact moments of the discrete process: at dt = 4 ms its variance is 25 % above sigma^2 under Euler-Maruyama."""
    n = 20_000
    steps = max(1, round(4 / dt))
    result = dvdt.simulate(
        OU,
        f"{20 * 4} ms",
        n=n,
        dt=f"{dt} ms",
        method=method,
        seed=11,
        precision=precision,
        record={"x": dvdt.record(every="4 ms")},
        state={"x": 2},
    )
    deviation = result["x"].astype(np.float64) - 2
    wanted = variance(method, dt)
    assert wanted == pytest.approx(9, rel=dt / 10)  # sigma^2 in the limit
    # from the fixed start the variance of step k is wanted (1 - a^(2k))
    grown = wanted * (1 - factor(method, dt) ** (2 * steps * np.arange(21)))
    assert np.all(deviation[0] == 0)
    np.testing.assert_array_less(np.abs(deviation.mean(axis=1)[1:]), 4 * np.sqrt(grown[1:] / n))
    np.testing.assert_array_less(np.abs(deviation.var(axis=1)[1:] / grown[1:] - 1), 4 * np.sqrt(2 / n))
    for lag in (1, 2, 5):
        found = np.mean(deviation[20] * deviation[20 - lag]) / grown[20 - lag]
        assert found == pytest.approx(factor(method, dt) ** (steps * lag), abs=4 * np.sqrt(2 / n))
    assert stats.kstest(deviation[20] / np.sqrt(grown[20]), stats.norm.cdf).pvalue > 1e-3


def test_two_equations_share_a_named_source_and_no_other() -> None:
    """Covariance of dx = -x/tau + (a xi_1 + b xi_2), dy = -y/tau + c xi_1, from x' = A x + B N: a c (1 - r^(2k))/(1 - r^2) dt."""
    text = """
    dx/dt = -x/tau + (xi_own + 2*xi_both)/sqrt(tau) : 1
    dy/dt = -y/tau - 3*xi_both/sqrt(tau) : 1
    dz/dt = -z/tau + xi/sqrt(tau) : 1
    tau = 10 ms
    """
    n = 20_000
    result = dvdt.simulate(text, "40 ms", n=n, dt="1 ms", seed=3)
    found = np.cov([result.final_state[name] for name in "xyz"])
    unit = 0.1 * (1 - 0.9**80) / (1 - 0.9**2)
    wanted = unit * np.array([[5, -6, 0], [-6, 9, 0], [0, 0, 1]])
    spread = np.sqrt((np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2) / n)
    np.testing.assert_array_less(np.abs(found - wanted), 4 * spread)


# ---- Ito and Stratonovich ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "conventions", "rate"),
    [
        ("euler", "dvdt", 0.2),
        ("milstein", "dvdt", 0.2),
        ("heun", "dvdt", 0.2 + 0.18),
        (None, "brian2", 0.2 + 0.18),
        ("heun", "brian2", 0.2 + 0.18),
    ],
)
def test_the_means_of_ito_and_stratonovich_differ(method: str | None, conventions: str, rate: float) -> None:
    """E x(t) = e^(m t) of Ito, e^((m + s^2/2) t) of Stratonovich, for dx = m x dt + s x dW with m = 0.2 and s = 0.6 at t = 1 ms."""
    text = "dx/dt = 0.2*x/ms + 0.6*x*xi*ms^-0.5 : 1; x(0) = 1"
    n = 40_000
    result = dvdt.simulate(text, "1 ms", n=n, dt="0.01 ms", method=method, conventions=conventions, seed=5, backend="reference")
    ends = result.final_state["x"]
    assert ends.mean() == pytest.approx(np.exp(rate), abs=4 * ends.std() / np.sqrt(n) + 0.002)
    assert np.log(ends).mean() == pytest.approx(rate - 0.18, abs=4 * 0.6 / np.sqrt(n) + 0.002)


# ---- a noisy neuron ----------------------------------------------------------------------------

LIF = """
dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : mV (unless refractory)
mu = 8 mV; sigma = 4 mV; tau = 10 ms; theta = 15 mV
v(0) = 0 mV
spike when v > theta: v = 0 mV
refractory 2 ms
"""


def siegert(mu: float, sigma: float, threshold: float, tau: float = 10.0, reset: float = 0.0, refractory: float = 2.0) -> float:
    """Spikes a ms: 1/(t_ref + tau sqrt(pi) int e^(u^2) (1 + erf u) du). Siegert 1951; Ricciardi 1977; Brunel & Hakim 1999."""
    low, high = ((level - mu) / (np.sqrt(2) * sigma) for level in (reset, threshold))
    return float(1 / (refractory + tau * np.sqrt(np.pi) * quad(lambda u: erfcx(-u), low, high, epsrel=1e-10)[0]))


@pytest.mark.parametrize("mu", [8.0, 20.0])
def test_the_rate_of_a_noisy_neuron_is_that_of_siegert(mu: float) -> None:
    """Tested once a step, a threshold acts as if it stood 0.5826 standard deviations of a step's noise higher (Broadie, Glasserman &
    Kou 1997, doi:10.1111/1467-9965.00035). What is left then goes with dt, and two steps extrapolate it away."""
    ratios, spikes = [], []
    for dt in (0.2, 0.05):
        result = dvdt.simulate(LIF, "1 s", n=8000, dt=f"{dt} ms", parameters={"mu": f"{mu} mV"}, seed=4)
        spikes.append(np.count_nonzero(result.spikes.t > 0.1))
        shift = 0.5826 * 4 * np.sqrt(2 * dt / 10)
        ratios.append(spikes[-1] / (8000 * 900) / siegert(mu, 4, 15 + shift))
        assert ratios[-1] == pytest.approx(1, abs=0.1 * dt + 4 / np.sqrt(spikes[-1]))
    limit = (4 * ratios[1] - ratios[0]) / 3
    error = 4 * np.sqrt(16 / spikes[1] + 1 / spikes[0]) / 3  # of Poisson processes; a LIF is more regular
    assert limit == pytest.approx(1, abs=error)
    assert abs(spikes[1] / (8000 * 900) / siegert(mu, 4, 15) - 1) > 2 * error  # without the shift it is far


# ---- draws -------------------------------------------------------------------------------------

DRAWS = """
means : 1
a(0) = 0; b(0) = 0; c(0) = 0; d(0) = 0; e(0) = 0; p(0) = 0
each step:
    a = rand()
    b = rand()
    c = randn()
    d = randn()
    e = exponential()
    p = poisson(means)
"""
LAWS = {"a": stats.uniform, "b": stats.uniform, "c": stats.norm, "d": stats.norm, "e": stats.expon}
N, STEPS = 200, 200


@pytest.fixture(scope="module", params=["float64", "float32"])
def drawn(request: pytest.FixtureRequest) -> dvdt.Result:
    means = np.repeat([0.02, 0.5, 3.0, 9.5, 30.0], N // 5)
    return dvdt.simulate(
        DRAWS, f"{STEPS / 10} ms", n=N, parameters={"means": means}, seed=9, record=list("abcdep"), precision=request.param
    )


@pytest.mark.parametrize("name", LAWS)
def test_draws_of_a_model_have_their_distribution(drawn: dvdt.Result, name: str) -> None:
    sample = drawn[name][1:].astype(np.float64).ravel()
    assert sample.size == N * STEPS
    assert stats.kstest(sample, LAWS[name].cdf).pvalue > 1e-3


@pytest.mark.parametrize(("group", "mean"), list(enumerate([0.02, 0.5, 3.0, 9.5, 30.0])))
def test_poisson_counts_of_a_model_have_their_distribution(drawn: dvdt.Result, group: int, mean: float) -> None:
    sample = drawn["p"][1:, group * N // 5 : (group + 1) * N // 5].astype(np.int64).ravel()
    law = stats.poisson(mean)
    edges = np.unique(law.ppf(np.linspace(2e-3, 1 - 2e-3, 30))).astype(np.int64)
    probabilities = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    found = np.bincount(np.searchsorted(edges, sample), minlength=probabilities.size)
    assert stats.chisquare(found, probabilities * sample.size).pvalue > 1e-3


@pytest.mark.parametrize("coupled", [False, True])
def test_any_number_of_neurons_draws_what_the_reference_draws(coupled: bool) -> None:
    """Two neurons share the words of a counter, 32 apart: also where the second half, or its partner, is not there. The means of counts
    are small and large, and hang on other draws, counts among them."""
    text = """
    dx/dt = -x/ms + xi_a*ms^-0.5 - 2*xi_b*ms^-0.5 : 1
    u(0) = 0; p(0) = 0; q(0) = 0
    each step:
        u = rand() + exponential() + k*x
        p = poisson(3*abs(u))
        q = poisson(p + 12*abs(x))
    k = 0
    """
    text = text.replace("k = 0\n", "k = mean(x)\n") if coupled else text
    for n in (1, 31, 33, 64, 95, 97, 513):
        runs = [dvdt.simulate(text, "1 ms", n=n, seed=3, backend=backend) for backend in ("cpu", "reference")]
        for name in "xupq":
            np.testing.assert_allclose(*[run.final_state[name] for run in runs], rtol=1e-12, atol=1e-13)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of ranks, in its standard errors: as good for counts and for what is bounded."""
    return float(abs(stats.spearmanr(one.ravel(), other.ravel()).statistic) * np.sqrt(one.size))


@pytest.mark.parametrize("name", "abcde")
def test_draws_of_a_model_are_independent(drawn: dvdt.Result, name: str) -> None:
    values = drawn[name][1:].astype(np.float64)
    assert np.unique(values).size > 0.995 * values.size
    for lag in (1, 2, 3, 8, 16):
        assert correlation(values[lag:], values[:-lag]) < 4.5, f"steps {lag} apart"
        assert correlation(values[:, lag:], values[:, :-lag]) < 4.5, f"neurons {lag} apart"
        assert correlation(np.abs(values[lag:] - 0.5), np.abs(values[:-lag] - 0.5)) < 4.5, f"spreads of steps {lag} apart"
    for other in "abcdep":
        if other != name:
            assert correlation(values, drawn[other][1:].astype(np.float64)) < 4.5, f"{name} and {other}"


def test_the_noise_of_equations_and_the_draws_of_a_model_are_independent() -> None:
    text = """
    dx/dt = xi_a*ms^-0.5 : 1
    dy/dt = xi_b*ms^-0.5 : 1
    c(0) = 0
    each step: c = randn()
    """
    result = dvdt.simulate(text, "10 ms", n=500, seed=9, record=["x", "y", "c"], backend="reference")
    steps = {"x": np.diff(result["x"], axis=0), "y": np.diff(result["y"], axis=0), "c": result["c"][1:]}
    for one, other in (("x", "y"), ("x", "c"), ("y", "c")):
        assert correlation(steps[one], steps[other]) < 4.5
    assert stats.kstest(steps["x"].ravel() / np.sqrt(0.1), stats.norm.cdf).pvalue > 1e-3


@pytest.mark.parametrize("method", ["milstein", "heun_stratonovich"])
def test_noise_that_multiplies_is_the_same_for_any_threads_split_and_recording(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvdt.backends.cpu import program as cpu

    monkeypatch.setattr(cpu, "WORTH_A_THREAD", 1)
    text = "dx/dt = (1 - x)/tau + s*x*xi_a; dy/dt = -y/tau + s*y*xi_b; tau = 10 ms; s = 0.3 ms^-0.5; x(0) = 1; y(0) = 1 + 0.1*i/N"

    def run(pieces: tuple[int, ...], threads: int, record: list[str]) -> dvdt.Simulation:
        simulation = dvdt.Simulation(text, n=700, method=method, threads=threads, seed=12, record=record)
        for steps in pieces:
            simulation.run(f"{steps / 10} ms")
        return simulation

    usual = run((40,), 1, [])
    assert np.std(usual.state["x"]) > 0.1
    for other in (run((40,), 2, ["x"]), run((1, 30, 9), 2, []), run((17, 23), 1, ["x", "y"])):
        for name in "xy":
            assert np.array_equal(usual.state[name], other.state[name])

"""White noise: the schemes against known solutions on the same paths, and what is asked, refused and told."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import dvdt
from dvdt.backends.evaluation import evaluate
from dvdt.backends.kernel import Kind
from dvdt.dsl.discretise import Discretised, discretise
from dvdt.dsl.structure import Structure
from dvdt.dsl.symbolic import from_sympy

GROWTH = "dx/dt = m*x + s*x*xi; m = 0.5 /ms; s = 0.8 ms^-0.5; x(0) = 1"
MODELS = {
    "growth": GROWTH,
    # two sources in one equation, each with a factor that reads the state: L1 g2 = L2 g1
    "two sources": "dx/dt = m*x + s*x*xi_a + r*x*xi_b; m = 0.5 /ms; s = 0.8 ms^-0.5; r = 0.5 ms^-0.5; x(0) = 1",
    # y is the double integral of one source
    "chain": "dx/dt = s*xi_a; dy/dt = s*x*xi_a; s = 1 ms^-0.5; x(0) = 0; y(0) = 0",
    "additive": "dx/dt = -x/tau + s*sin(t/ms)*xi; tau = 1 ms; s = 1 ms^-0.5; x(0) = 1",
    # Levy's area, which no scheme here sees: order 1/2 for all that take it
    "area": "dx/dt = s*xi_a; dy/dt = s*xi_b; dz/dt = s*x*xi_b - s*y*xi_a; s = 1 ms^-0.5; x(0) = 0; y(0) = 0; z(0) = 0",
}
VALUES = {name: np.float64(value) for name, value in {"m": 0.5, "s": 0.8, "r": 0.5, "tau": 1.0}.items()}


@cache
def discretised(name: str, method: str | None, conventions: str = "dvdt") -> Discretised:
    return discretise(dvdt.Model(MODELS.get(name, name)).checked, Structure(method=method, conventions=conventions))


def walk(found: Discretised, start: dict, dt: float, normals: dict[str, np.ndarray], values: dict = VALUES) -> dict:
    """Many neurons along given normal numbers (steps, neurons), by the step itself as the reference evaluates it."""
    step = found.step
    updates = [*step.stages, *step.new.items()]
    kinds = {symbol.name: Kind.REAL for _, value in updates for symbol in value.free_symbols}
    plain = [from_sympy(value, kinds) for _, value in updates]
    states, stages = dict(start), len(step.stages)
    for number in range(len(next(iter(normals.values())))):
        known = {"@dt": np.float64(dt), "@t": np.float64(number * dt), **values, **states}
        known |= {source: numbers[number] for source, numbers in normals.items()}
        for (name, _), expression in zip(step.stages, plain[:stages], strict=True):
            known[name] = evaluate(expression, known)
        states = {name: evaluate(new, known) for name, new in zip(step.new, plain[stages:], strict=True)}
    return states


def paths(sources: tuple[str, ...], finest: int, count: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(20)
    return {source: generator.standard_normal((finest, count)) for source in sources}


def coarser(normals: dict[str, np.ndarray], by: int) -> dict[str, np.ndarray]:
    """The same Wiener paths on a grid that is coarser: increments are added."""
    return {name: z.reshape(-1, by, z.shape[1]).sum(axis=1) / np.sqrt(by) for name, z in normals.items()}


def end(normals: dict[str, np.ndarray], source: str) -> np.ndarray:
    """W(1) of a path over 1 ms."""
    return normals[source].sum(axis=0) / np.sqrt(len(normals[source]))


def growth(normals: dict[str, np.ndarray], ito: bool) -> np.ndarray:
    return np.exp(0.5 - 0.32 * ito + 0.8 * end(normals, "@xi"))


def two_sources(normals: dict[str, np.ndarray], ito: bool) -> np.ndarray:
    return np.exp(0.5 - (0.32 + 0.125) * ito + 0.8 * end(normals, "@xi_a") + 0.5 * end(normals, "@xi_b"))


def chain(normals: dict[str, np.ndarray], ito: bool) -> np.ndarray:
    return 0.64 * (end(normals, "@xi_a") ** 2 - ito) / 2


SOLUTIONS = {"growth": (growth, "x"), "two sources": (two_sources, "x"), "chain": (chain, "y")}
STARTS = {
    "growth": {"x": 1.0},
    "two sources": {"x": 1.0},
    "chain": {"x": 0.0, "y": 0.0},
    "additive": {"x": 1.0},
    "area": {"x": 0.0, "y": 0.0, "z": 0.0},
}
SOURCES = {
    "growth": ("@xi",),
    "two sources": ("@xi_a", "@xi_b"),
    "chain": ("@xi_a",),
    "additive": ("@xi",),
    "area": ("@xi_a", "@xi_b"),
}
FINEST, LEVELS = 512, (4, 8, 16, 32, 64)


def slope_of(errors: list[float], steps: tuple[int, ...]) -> float:
    return float(np.polyfit(np.log2(steps), np.log2(errors), 1)[0])


def on_all_levels(name: str, method: str, count: int, conventions: str = "dvdt") -> list[dict]:
    normals = paths(SOURCES[name], FINEST, count)
    found = discretised(name, method, conventions)
    return [walk(found, STARTS[name], by / FINEST, coarser(normals, by)) for by in LEVELS]


# ---- order of convergence ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "method", "ito", "order"),
    [
        ("growth", "euler_maruyama", True, 0.5),
        ("growth", "milstein", True, 1.0),
        ("growth", "heun_stratonovich", False, 1.0),
        ("two sources", "euler_maruyama", True, 0.5),
        ("two sources", "milstein", True, 1.0),
        ("two sources", "heun_stratonovich", False, 1.0),
        ("chain", "euler_maruyama", True, 0.5),
    ],
)
def test_strong_order(name: str, method: str, ito: bool, order: float) -> None:
    """The mean distance at 1 ms to the solution along the same Wiener path. 1000 paths tell the slope to about 0.05."""
    solution, state = SOLUTIONS[name]
    exact = solution(paths(SOURCES[name], FINEST, 1000), ito)
    errors = [np.mean(np.abs(ends[state] - exact)) for ends in on_all_levels(name, method, 1000)]
    assert slope_of(errors, LEVELS) == pytest.approx(order, abs=0.12)


@pytest.mark.parametrize("method", ["euler_maruyama", "milstein", "heun_stratonovich"])
def test_strong_order_is_1_where_the_noise_is_additive(method: str) -> None:
    """Against the stochastic integral, by parts: int e^(u-1) sin(u) dW from the finest path with each dW at its exact middle."""
    normals = paths(("@xi",), 16 * FINEST, 400)
    u = (np.arange(16 * FINEST) + 0.5) / (16 * FINEST)
    weights = 0.8 * np.exp(u - 1) * np.sin(u) / np.sqrt(16 * FINEST)
    exact = np.exp(-1) + weights @ normals["@xi"]
    found = discretised("additive", method)
    errors = []
    for by in LEVELS:
        ends = walk(found, {"x": 1.0}, by / FINEST, coarser(normals, 16 * by))
        errors.append(np.mean(np.abs(ends["x"] - exact)))
    assert slope_of(errors, LEVELS) == pytest.approx(1.0, abs=0.12)


def test_the_double_integral_of_one_source_is_exact() -> None:
    """int W dW = (W^2 - t)/2 of Ito and W^2/2 of Stratonovich need no more than W(t)."""
    normals = coarser(paths(("@xi_a",), FINEST, 50), 64)
    for method, ito in (("milstein", True), ("heun_stratonovich", False)):
        ends = walk(discretised("chain", method), STARTS["chain"], 64 / FINEST, normals)
        np.testing.assert_allclose(ends["y"], chain(normals, ito), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    # the error of Heun's mean is of the noise alone, that of the others of the drift alone: a walk in which each can be seen
    ("method", "m", "s"),
    [("euler_maruyama", 1.0, 0.3), ("milstein", 1.0, 0.3), ("heun_stratonovich", 0.5, 0.8)],
)
def test_weak_order(method: str, m: float, s: float) -> None:
    """The error of the mean and of the mean square at 1 ms, each path beside its exact end, so that most of the spread cancels."""
    ito = method != "heun_stratonovich"
    normals = {name: np.concatenate([z, -z], axis=1) for name, z in paths(("@xi",), 32, 10_000).items()}
    exact = np.exp(m - s**2 / 2 * ito + s * end(normals, "@xi"))
    found = discretised("growth", method)
    for power in (1, 2):
        mean = np.exp(power * (m - s**2 / 2 * ito) + (power * s) ** 2 / 2)
        assert np.mean(exact**power) == pytest.approx(mean, abs=4 * np.std(exact**power) / np.sqrt(exact.size))
        errors, spread = [], []
        for by in (1, 2, 4):
            ends = walk(found, STARTS["growth"], by / 32, coarser(normals, by), {"m": np.float64(m), "s": np.float64(s)})
            difference = ends["x"] ** power - exact**power
            errors.append(abs(difference.mean()))
            spread.append(difference.std() / np.sqrt(difference.size) / errors[-1])
        assert max(spread) < 0.1, spread  # each error is known well enough to tell 1 from 1/2 and from 2
        assert slope_of(errors, (1, 2, 4)) == pytest.approx(1.0, abs=0.25)


# ---- Brian2's formulas -------------------------------------------------------------------------

BENT = "dx/dt = -x/tau + s*sqrt(1 + x^2)*(1 + t/ms)*xi; tau = 1 ms; s = 1 ms^-0.5; x(0) = 1"


def brian2_heun(x: np.ndarray, t: float, dt: float, dw: np.ndarray) -> np.ndarray:
    g = lambda x, t: 0.8 * np.sqrt(1 + x**2) * (1 + t)  # noqa: E731
    support = x + g(x, t) * dw
    return x - dt * x + 0.5 * dw * (g(x, t) + g(support, t + dt))


def brian2_milstein(x: np.ndarray, t: float, dt: float, dw: np.ndarray) -> np.ndarray:
    g = lambda x, t: 0.8 * np.sqrt(1 + x**2) * (1 + t)  # noqa: E731
    support = x - dt * x + np.sqrt(dt) * g(x, t)
    return x - dt * x + g(x, t) * dw + (g(support, t) - g(x, t)) * dw**2 / (2 * np.sqrt(dt))


@pytest.mark.parametrize(("method", "formula"), [("heun", brian2_heun), ("milstein", brian2_milstein), (None, brian2_heun)])
def test_brian2_conventions_take_brian2s_formulas(method: str | None, formula: object) -> None:
    """As in its documentation ("State update"): no derivative of g, and drift at the start of the step."""
    dt, x = 0.1, np.full(20, 1.0)
    normals = paths(("@xi",), 5, 20)
    for number, z in enumerate(normals["@xi"]):
        x = formula(x, number * dt, dt, np.sqrt(dt) * z)  # type: ignore[operator]
    ends = walk(discretised(BENT, method, "brian2"), {"x": np.ones(20)}, dt, normals)
    np.testing.assert_allclose(ends["x"], x, rtol=1e-12)


@pytest.mark.parametrize(("method", "order"), [("heun", 1.0), ("milstein", 0.5)])
def test_brian2s_formulas_are_in_the_sense_of_stratonovich(method: str, order: float) -> None:
    """Its milstein is of order 1/2: the drift in the supporting value leaves g' f dW^2 sqrt(dt)/2, whose mean adds up to O(sqrt(dt))."""
    exact = growth(paths(("@xi",), FINEST, 1000), ito=False)
    errors = [np.mean(np.abs(ends["x"] - exact)) for ends in on_all_levels("growth", method, 1000, "brian2")]
    assert slope_of(errors, LEVELS) == pytest.approx(order, abs=0.12)


# ---- which scheme ------------------------------------------------------------------------------

OU = "dx/dt = -x/tau + s*xi; tau = 10 ms; s = 1 ms^-0.5; x(0) = 1"
ADDITIVE = {
    "constant": OU,
    "through a definition": "dx/dt = -x/tau + k*xi; k = s*sqrt(2*tau); tau = 10 ms; s = 1 /ms",
    "changing with time": "dx/dt = -x/tau + s*(1 + sin(t/ms))*xi; tau = 10 ms; s = 1 ms^-0.5",
    "what cancels": "dx/dt = -x/tau + s*(x + 1 - x)*xi; tau = 10 ms; s = 1 ms^-0.5",
    "the sign of a spike": "dx/dt = -x/tau + k*xi; k = 1 ms^-0.5; tau = 10 ms; spike when x > 1: k = 2 ms^-0.5",
}
MULTIPLICATIVE = {
    "x": "dx/dt = -x/tau + s*x*xi : 1; tau = 10 ms; s = 1 ms^-0.5",
    "y": "dx/dt = -x/tau + s*k*xi; dy/dt = -y/tau; k = 1 + y^2; tau = 10 ms; s = 1 ms^-0.5; y(0) = 1",
    "mean(...)": "dx/dt = -x/tau + s*mean(x)*xi : 1; tau = 10 ms; s = 1 ms^-0.5",
}


@pytest.mark.parametrize("text", ADDITIVE.values(), ids=list(ADDITIVE))
def test_additive_noise_is_told_by_structure(text: str) -> None:
    explanation = dvdt.Model(text).explain()
    assert explanation.scheme == "euler_maruyama"
    assert "Ito and Stratonovich agree" in str(explanation)


def test_noise_that_is_driven_in_time_is_additive() -> None:
    drive = dvdt.TimedSeries(np.array([0.0, 3.0]), "1 ms")
    result = dvdt.simulate(OU, "2 ms", n=400, parameters={"s": drive}, state={"x": 0}, record=["x"], seed=2, backend="reference")
    assert result.report.scheme == "euler_maruyama"
    assert np.all(result["x"][:11] == 0)
    assert np.std(result["x"][-1]) == pytest.approx(3 * np.sqrt(0.95), rel=0.15)


@pytest.mark.parametrize("by", MULTIPLICATIVE)
def test_the_author_is_asked_for_ito_or_stratonovich(by: str) -> None:
    with pytest.raises(dvdt.UsageError) as found:
        dvdt.simulate(MULTIPLICATIVE[by], "1 ms")
    text = str(found.value)
    assert f"multiplies a state, {by}: dx/dt holds the term " in text
    assert "*xi" in text or "xi*" in text
    assert "`method euler_maruyama`" in text
    if by != "mean(...)":
        assert "`method milstein`" in text or by == "y"
        assert "`method heun_stratonovich`" in text
    for method in ("auto", None):
        with pytest.raises(dvdt.UsageError, match="Ito and Stratonovich are then two different models"):
            dvdt.Model(MULTIPLICATIVE[by]).explain(method)


def test_the_report_tells_the_calculus() -> None:
    for method, scheme, calculus in (
        ("milstein", "milstein", "Ito"),
        ("euler", "euler_maruyama", "Ito"),
        ("heun", "heun_stratonovich", "Stratonovich"),
    ):
        result = dvdt.simulate(MULTIPLICATIVE["x"], "1 ms", method=method, backend="reference")
        assert result.report.scheme == scheme
        assert result.report.noise == f"the noise multiplies x: it is taken in the sense of {calculus}"
        assert result.report.noise in str(result.report)
        assert result.report.noise in str(dvdt.Model(MULTIPLICATIVE["x"] + f"; method {method}").explain())
    assert dvdt.simulate("dx/dt = -x/ms : 1", "1 ms", backend="reference").report.noise == ""


@pytest.mark.parametrize("method", ["rk4", "exact", "exponential_euler", "rk2", "euler_sequential"])
def test_a_scheme_without_noise_names_those_that_can(method: str) -> None:
    with pytest.raises(
        dvdt.UsageError, match=r"dx/dt holds the white noise xi, which .*can: euler_maruyama, milstein, heun_stratonovich\."
    ):
        dvdt.simulate(OU, "1 ms", method=method)


def test_an_unknown_scheme_names_those_that_can() -> None:
    with pytest.raises(dvdt.UsageError, match=r"'milsten'; did you mean 'milstein'.*white noise of this model: euler_maruyama"):
        dvdt.simulate(OU, "1 ms", method="milsten")


def test_milstein_names_the_equation_whose_noise_does_not_commute() -> None:
    with pytest.raises(dvdt.UsageError, match=r"dz/dt .*does not commute: xi_a and xi_b.*euler_maruyama, heun_stratonovich"):
        dvdt.simulate(MODELS["area"], "1 ms", method="milstein")


def test_brian2_conventions_take_brian2s_choice() -> None:
    chosen = {
        OU: "euler_maruyama",
        ADDITIVE["changing with time"]: "heun_stratonovich",
        MULTIPLICATIVE["x"]: "heun_stratonovich",
        "dx/dt = -x^3/ms : 1": "euler",
    }
    for text, scheme in chosen.items():
        assert dvdt.simulate(text, "1 ms", conventions="brian2", backend="reference").report.scheme == scheme
    with pytest.raises(dvdt.UsageError, match=r"Brian2's euler takes additive noise only.*heun or milstein"):
        dvdt.simulate(MULTIPLICATIVE["x"], "1 ms", conventions="brian2", method="euler")
    with pytest.raises(dvdt.UsageError, match=r"not diagonal.*heun_stratonovich"):
        dvdt.simulate(MODELS["two sources"], "1 ms", conventions="brian2", method="milstein")


def test_what_is_held_takes_no_noise_and_turns_no_factor() -> None:
    """While y stands still, x with the factor y sees no double integral of it: its steps are y dW."""
    text = """
    dx/dt = s*y*xi_a : 1
    dy/dt = s*y*xi_a : 1 (unless refractory)
    s = 0.5 ms^-0.5; x(0) = 0; y(0) = 1
    spike when y > 0: y = 2
    refractory 100 ms
    """
    runs = [
        dvdt.simulate(text, "5 ms", n=3, method=method, seed=8, record=["x", "y"], backend="reference")
        for method in ("milstein", "euler_maruyama", "heun_stratonovich")
    ]
    for result in runs:
        assert np.all(result["y"][1:] == 2)
        np.testing.assert_allclose(np.diff(result["x"][1:], axis=0), np.diff(runs[1]["x"][1:], axis=0), rtol=1e-9)


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_noise_of_no_variance_is_the_equation_without_it(backend: str) -> None:
    """Also where the factor is the root of a state that is 0, and for neurons beside noisy ones."""
    noisy = "dx/dt = (1 - x)/tau + s*sqrt(x)*xi; tau = 10 ms; s = 0 ms^-0.5; x(0) = 0"
    for text in (noisy.replace("sqrt(x)", "x^0.5"), noisy.replace("sqrt(x)", "x^a") + "; a = 0.75"):
        assert np.isfinite(dvdt.simulate(text, "5 ms", method="milstein", backend=backend).final_state["x"][0])
    for method in ("euler_maruyama", "milstein", "heun_stratonovich"):
        values = {"s": np.array([0.0, 0.01, 0.0])}
        found = dvdt.simulate(noisy, "5 ms", n=3, method=method, parameters=values, record=["x"], backend=backend, seed=6)
        plain = dvdt.simulate(
            "dx/dt = (1 - x)/tau; tau = 10 ms; x(0) = 0", "5 ms", method=method, record=["x"], backend="reference"
        )
        np.testing.assert_allclose(found["x"][:, [0, 2]], np.repeat(plain["x"], 2, axis=1), rtol=1e-12)
        assert np.all(np.isfinite(found["x"]))
        assert np.max(np.abs(found["x"][:, 1] - plain["x"][:, 0])) > 1e-4
    still = "dx/dt = -x/tau + s*sqrt(2/tau)*xi; tau = inf*1 ms; s = 3; x(0) = 2"
    assert dvdt.simulate(still, "5 ms", backend=backend).final_state["x"][0] == 2

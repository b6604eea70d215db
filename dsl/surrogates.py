"""Surrogates: what stands for the derivative of a spike in gradient-based learning, by name, as NumPy functions.

A spike is a step of what is compared, so its derivative is 0 or infinite. A surrogate keeps the step forward and puts a factor of its
own in the backward pass. `SURROGATES` holds them with the settings of their packages; a text names one with `surrogate NAME(alpha=100) of v - v_th`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import UsageError
from .near_names import near_names

Values = NDArray[np.float64]
Curve = Callable[..., Values]  # of an array, and of the settings by name


@dataclass(frozen=True)
class Definition:
    """One surrogate.

    `factor`: the backward factor of the quantity `of` (which a text names behind `of`). `smooth`: a function whose derivative it is, where there is
    one. `settings` with the defaults of their package. `inclusive`: whether the step is made at 0 too.
    """

    factor: Curve
    settings: Mapping[str, float] = field(default_factory=dict)
    smooth: Curve | None = None
    of: str = "v - v_th"
    inclusive: bool = False
    silent_while_refractory: bool = False
    reference: str = ""


def inside(condition: NDArray[np.bool_], value: ArrayLike) -> Values:
    """The value where the condition holds, 0 elsewhere."""
    return np.where(condition, value, 0.0)


def logistic(x: Values) -> Values:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))  # overflows nowhere


def sech(x: Values) -> Values:
    return np.asarray(2 * np.exp(-np.abs(x)) / (1 + np.exp(-2 * np.abs(x))))


def quadratic_gate(d: Values, alpha: float) -> Values:
    return inside(np.abs(d) <= 1 / alpha, alpha - alpha**2 * np.abs(d))


def hill(d: Values) -> Values:
    """The integral from 0 of a triangle of height 1 and half-width 1."""
    near = np.clip(d, -1, 1)
    return near - np.sign(near) * near**2 / 2


def error_function(x: Values) -> Values:
    from math import erf

    return np.asarray(np.vectorize(erf, otypes=[np.float64])(x))


SURROGATES: Mapping[str, Definition] = {
    "superspike": Definition(
        lambda d, alpha: 1 / (alpha * np.abs(d) + 1) ** 2,
        {"alpha": 100},
        lambda d, alpha: d / (1 + alpha * np.abs(d)),
        reference="Zenke & Ganguli 2018, Neural Comput. 30:1514; Norse",
    ),
    "triangle": Definition(
        lambda d, alpha: alpha * np.maximum(0.0, 1 - np.abs(d)),
        {"alpha": 0.3},
        lambda d, alpha: alpha * hill(d),
        reference="Esser et al. 2016, PNAS 113:11441; Bellec et al. 2020, Nat. Commun. 11:3625; Norse",
    ),
    "tanh": Definition(
        lambda d, alpha: 1 - np.tanh(alpha * d) ** 2,
        {"alpha": 100},
        lambda d, alpha: np.tanh(alpha * d) / alpha,
        reference="Norse",
    ),
    "circ": Definition(
        lambda d, alpha: 2 * alpha * (1 / (2 * np.sqrt(alpha**2 + d**2)) - d**2 / (2 * (alpha**2 + d**2) ** 1.5)),
        {"alpha": 100},
        lambda d, alpha: alpha * d / np.sqrt(alpha**2 + d**2),
        reference="Norse",
    ),
    "heavi_erfc": Definition(
        lambda d, alpha: 2 * np.exp(-((alpha * d) ** 2)) / np.sqrt(np.pi),
        {"alpha": 100},
        lambda d, alpha: error_function(alpha * d) / alpha,
        reference="Norse",
    ),
    "heaviside": Definition(lambda d: np.zeros_like(d), smooth=lambda d: np.zeros_like(d), reference="Norse"),
    "straight_through": Definition(
        lambda d: np.ones_like(d),
        smooth=lambda d: d,
        inclusive=True,
        reference="Bengio et al. 2013, arXiv 1308.3432; ngc-learn (whose step is not made at 0), SPAIC",
    ),
    "ngc_triangular": Definition(
        lambda d, thr: np.where(d < 0, thr, -thr), {"thr": 1}, reference="ngc-learn, as coded: no triangle"
    ),
    "arctan": Definition(
        lambda v, alpha: 1 / (np.pi * (1 + (np.pi * alpha / 2 * v) ** 2)),
        {"alpha": 2},
        lambda v, alpha: 2 * np.arctan(np.pi * alpha / 2 * v) / (np.pi**2 * alpha),
        of="v",
        reference="ngc-learn: of the potential itself, without the threshold",
    ),
    "secant_lif": Definition(
        lambda j, c1, c2, scaled: inside(j > 0, sech(c2 * j)) * (c1 * c2 if scaled else 1.0),
        {"c1": 0.82, "c2": 0.08, "scaled": 0},
        lambda j, c1, c2, scaled: inside(j > 0, 2 * np.arctan(np.tanh(c2 * j / 2)) / c2) * (c1 * c2 if scaled else 1.0),
        of="the current",
        reference="Samadi, Lillicrap & Tweed 2017, Neural Comput. 29:578; ngc-learn, as coded: sech, not its square",
    ),
    "sigmoid": Definition(
        lambda d, alpha: alpha * logistic(alpha * d) * (1 - logistic(alpha * d)),
        {"alpha": 1},
        lambda d, alpha: logistic(alpha * d),
        inclusive=True,
        reference="SPAIC",
    ),
    "atan": Definition(
        lambda d, alpha: alpha / 2 / (1 + (np.pi / 2 * alpha * d) ** 2),
        {"alpha": 2},
        lambda d, alpha: np.arctan(np.pi / 2 * alpha * d) / np.pi,
        reference="SPAIC",
    ),
    "rectangle": Definition(
        lambda d, alpha: inside(np.abs(d) < alpha, 1.0),
        {"alpha": 2},
        lambda d, alpha: np.clip(d, -alpha, alpha),
        reference="SPAIC (0.5 in its STCA learner)",
    ),
    "gate": Definition(
        lambda d, alpha: inside(np.abs(d) < 1 / alpha, 1.0),
        {"alpha": 2},
        lambda d, alpha: np.clip(d, -1 / alpha, 1 / alpha),
        reference="SPAIC",
    ),
    "quadratic_gate": Definition(quadratic_gate, {"alpha": 2}, lambda d, alpha: hill(alpha * d), reference="SPAIC"),
    "gaussian": Definition(
        lambda d, alpha: np.exp(-(d**2) / (2 * alpha)) / (2 * np.pi * alpha),
        {"alpha": 0.5},
        lambda d, alpha: error_function(d / np.sqrt(2 * alpha)) / np.sqrt(8 * np.pi * alpha),
        reference="Wu et al. 2018, Front. Neurosci. 12:331; SPAIC, with its normaliser, which has no square root",
    ),
    "relu_like": Definition(
        lambda d, alpha: inside(d > 0, alpha),
        {"alpha": 1},
        lambda d, alpha: alpha * np.maximum(d, 0.0),
        inclusive=True,
        reference="SPAIC",
    ),
    "eprop": Definition(
        lambda d, v_thresh: 0.3 / v_thresh * np.maximum(0.0, 1 - np.abs(d / v_thresh)),
        {"v_thresh": 1},
        lambda d, v_thresh: 0.3 * hill(d / v_thresh),
        of="v - theta, the threshold with its adaptation",
        silent_while_refractory=True,
        reference="Bellec et al. 2020, Nat. Commun. 11:3625; mlGeNN",
    ),
}
POSITIVE = frozenset({"alpha", "c2", "v_thresh"})  # settings by which something is divided, or a width


@dataclass(frozen=True)
class Surrogate:
    """A surrogate with its settings: `step` is the forward pass, `factor` the backward one. See `surrogate`."""

    name: str
    settings: Mapping[str, float]

    @property
    def definition(self) -> Definition:
        return SURROGATES[self.name]

    @property
    def of(self) -> str:
        """What `factor` and `smooth` are functions of."""
        return self.definition.of

    @property
    def reference(self) -> str:
        return self.definition.reference

    def step(self, d: ArrayLike, inclusive: bool | None = None) -> Values:
        """1 where a neuron with `d` = potential minus threshold spikes, 0 elsewhere, in the shape of `d`.

        `inclusive`: whether it spikes at 0; None: as the package does it.
        """
        above = np.asarray(d, np.float64)
        return (above >= 0 if (self.definition.inclusive if inclusive is None else inclusive) else above > 0).astype(np.float64)

    def factor(self, x: ArrayLike, refractory: ArrayLike = False) -> Values:
        """The backward factor at `x` (see `of`), in its shape. Where `refractory` holds, `eprop` gives 0; the others do not ask."""
        found = self.definition.factor(np.asarray(x, np.float64), **self.settings)
        return inside(~np.asarray(refractory, np.bool_), found) if self.definition.silent_while_refractory else found

    def smooth(self, x: ArrayLike) -> Values:
        """A function of `x` whose derivative is the factor. Raises UsageError for the one surrogate that has none."""
        if self.definition.smooth is None:
            raise UsageError(f"surrogate {self.name!r} is the derivative of no continuous function of {self.of}")
        return self.definition.smooth(np.asarray(x, np.float64), **self.settings)

    def __repr__(self) -> str:
        return f"surrogate({', '.join([repr(self.name), *(f'{name}={value:g}' for name, value in self.settings.items())])})"


def surrogate(name: str, **settings: float) -> Surrogate:
    """A surrogate by name, with its settings: `dvdt.surrogate("superspike", alpha=100).factor(v - v_th)`.

    Settings that are not given are those of the package it comes from. Raises UsageError for unknown names and for values that do not fit.
    """
    if not isinstance(name, str):
        raise UsageError(f"surrogate: expected the name of one, such as 'superspike', not {name!r}")
    if name not in SURROGATES:
        raise UsageError(f"surrogate: there is none called {name!r}{_hint(name, SURROGATES)}")
    known = SURROGATES[name].settings
    for each, value in settings.items():
        if each not in known:
            raise UsageError(f"surrogate {name!r} has no setting {each!r}{_hint(each, known)}")
        if not isinstance(value, int | float | np.number) or not isfinite(value) or (each in POSITIVE and value <= 0):
            wanted = "a finite number above 0" if each in POSITIVE else "a finite number"
            raise UsageError(f"surrogate {name!r}: {each} has to be {wanted}, not {value!r}")
    return Surrogate(name, MappingProxyType({**known, **{each: float(value) for each, value in settings.items()}}))


def _hint(wrong: str, known: Mapping[str, object]) -> str:
    near = near_names(wrong, known)
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    return f"; known are {', '.join(known)}" if known else "; it takes none"

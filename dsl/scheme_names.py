"""The names of the integration schemes, for checks that load none of them: `schemes` holds the schemes themselves."""

from __future__ import annotations

from collections.abc import Mapping

SCHEME_NAMES: tuple[str, ...] = (
    "euler",
    "euler_sequential",
    "exponential_euler",
    "exponential_rk2",
    "rk2",
    "heun",
    "rk4",
    "backward_euler",
    "exact",
    "euler_maruyama",
    "milstein",
    "heun_stratonovich",
)
ALIASES: Mapping[str, str] = {"midpoint": "rk2", "forward_euler": "euler", "linear": "exact"}
ELSEWHERE: Mapping[str, str] = {  # what other simulators call such schemes
    "cnexp": "exponential_euler",
    "derivimplicit": "backward_euler",
    "sparse": "backward_euler",
    "implicit_euler": "backward_euler",
    "cvode": "backward_euler",
    "gsl": "rk4",
    "rkf45": "rk4",
    "rk45": "rk4",
    "runge_kutta": "rk4",
    "exact_integration": "exact",
    "explicit": "euler",
}
KNOWN: tuple[str, ...] = ("auto", *SCHEME_NAMES, *ALIASES)

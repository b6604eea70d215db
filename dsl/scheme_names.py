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
KNOWN: tuple[str, ...] = ("auto", *SCHEME_NAMES, *ALIASES)

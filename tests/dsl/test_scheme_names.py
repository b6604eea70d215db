"""The names of schemes are known without the schemes, and a check loads none of them."""

from __future__ import annotations

import subprocess
import sys

from dvdt.dsl.scheme_names import ALIASES, SCHEME_NAMES


def test_the_names_are_those_of_the_schemes():
    from dvdt.dsl.schemes import SCHEMES

    assert tuple(SCHEMES) == SCHEME_NAMES
    assert all(scheme.name == name for name, scheme in SCHEMES.items())
    assert set(ALIASES.values()) <= set(SCHEMES)


def test_checking_a_text_with_a_method_needs_no_sympy():
    code = """
import sys
from dvdt.dsl.analyse import analyse_module
from dvdt.grammar.parse import parse
from dvdt.grammar.source import Source
models, mistakes = analyse_module(parse(Source("dv/dt = -v/tau : mV; tau = 20 ms; method rk4")).module)
assert models and not mistakes
print([name for name in ("sympy", "numba", "scipy") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"

"""The words of the language: keywords with their places, flags, and the section headers of other languages."""

from __future__ import annotations

from collections.abc import Mapping

FLAGS: tuple[str, ...] = (
    "unless refractory",
    "constant",
    "constant over dt",
    "shared",
    "required",
    "matrix",
    "linked",
    "event-driven",
    "clock-driven",
    "summed",
    "point current",
)

KEYWORDS: tuple[str, ...] = (
    *("spike", "on", "refractory", "each", "output", "surrogate"),
    *("method", "dt", "duration", "time", "without", "model"),
)

# keyword statements that may open a block
OPENERS: tuple[str, ...] = ("spike", "on", "each", "model", "synapse")

# words that stand at a fixed place after their keyword
FOLLOWERS: Mapping[str, Mapping[int, str]] = {
    "spike": {1: "when"},
    "on": {2: "when"},
    "each": {1: "step", 2: "after", 3: "reset"},
    "time": {1: "in"},
}

# words that stand later in a statement, outside brackets
LATER: Mapping[str, str] = {"refractory": "holding", "surrogate": "of"}

# a keyword with such a follower is a keyword statement whatever comes next
SECOND_WORDS: Mapping[str, str] = {"spike": "when", "each": "step", "refractory": "while", "time": "in"}

SECTIONS: frozenset[str] = frozenset(
    """parameters parameter params state states equations equation equs model variables internals initial_values initial
    input inputs output outputs update reset threshold functions function constants definitions units neuron synapses
    PARAMETER ASSIGNED STATE INITIAL BREAKPOINT DERIVATIVE NEURON UNITS Parameters Equations State Model""".split()
)

"""Texts that are nearly models: real ones with characters, words, lines or brackets lost, doubled, swapped or put in, and some monsters.

A text is made from a number alone, so that any of a hundred thousand can be made again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

Mutation = Callable[[str, random.Random, Sequence[str]], str]

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")

PIECES = (
    "dv/dt = -v/tau : volt (unless refractory)",
    "spike when v > -50 mV: v = -65 mV",
    "spike when v crosses 0 mV",
    "refractory 2 ms holding v",
    "refractory while v > -40 mV",
    "on burst when u > 3: u = old(u)/2",
    "each step:\n    x = old(y)\n    y = x + 1",
    "each step after reset: k += 1",
    "output clip(v, 0, 1)",
    "surrogate fast_sigmoid(beta=10) of v",
    "method euler_sequential(v, u)",
    "time in ms",
    "x(0) = -70 mV + 2 mV*randn()",
    "V_T = -50 mV + 2 mV*randn() (constant)",
    "f(a, b) = a^2/(1 + exp(-b))",
    "W : 1 (matrix)",
    "I(t, i) : amp",
    "s = total(r) - mean(r)*N + rank(r) + one_of(r > 0)",
    "model child(base):\n    tau = 3 ms\n    without w",
    'model other:\n    """A line.\n    """\n    dx/dt = xi*tau**-0.5',
    "synapse s: on pre: g_post += w",
)

JUNK = "$?&@!`\\'\"#;:,.()[]{}|~^%<>=+-*/_ \t\n\0\r\x0b\x85\u2028\ufeffµμτΔ²·−×∞é\U0001f9e0"
NUMBERS = (
    "0",
    "-0",
    "1e400",
    "1e-400",
    "9**9**9**9",
    "0x10",
    "1_000",
    "1e",
    ".",
    "..",
    "nan",
    "inf",
    "1j",
    "٣",
    "00",
    "10 mV^-1",
    "9" * 400,
)
WORDS = (
    "and or not if else True False model spike when refractory while holding each step after reset output surrogate method time in on "
    "without old dt t i N xi xi_ mV ms nS volt 1 boolean integer exp log lambda import __import__ class None self e pi inf rand randn poisson"
).split()


def _place(text: str, draws: random.Random) -> int:
    return draws.randrange(len(text) + 1)


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def _lose_characters(text: str, draws: random.Random, others: Sequence[str]) -> str:
    at = _place(text, draws)
    return text[:at] + text[at + draws.choice((1, 1, 1, 2, 5, 40)) :]


def _put_in_junk(text: str, draws: random.Random, others: Sequence[str]) -> str:
    at = _place(text, draws)
    return text[:at] + "".join(draws.choices(JUNK, k=draws.choice((1, 1, 2, 7)))) + text[at:]


def _double_a_piece(text: str, draws: random.Random, others: Sequence[str]) -> str:
    start, stop = sorted((_place(text, draws), _place(text, draws)))
    return text[:stop] + text[start:stop] * draws.choice((1, 1, 2, 20)) + text[stop:]


def _lose_a_token(text: str, draws: random.Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    if tokens:
        del tokens[draws.randrange(len(tokens))]
    return "".join(tokens)


def _swap_tokens(text: str, draws: random.Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    if len(tokens) > 1:
        a, b = draws.randrange(len(tokens)), draws.randrange(len(tokens))
        tokens[a], tokens[b] = tokens[b], tokens[a]
    return "".join(tokens)


def _replace_a_token(text: str, draws: random.Random, others: Sequence[str]) -> str:
    tokens = _tokens(text)
    if tokens:
        pool = draws.choice((WORDS, NUMBERS, tokens, _tokens(draws.choice(others)) or WORDS))
        tokens[draws.randrange(len(tokens))] = draws.choice(pool)
    return "".join(tokens)


def _shuffle_lines(text: str, draws: random.Random, others: Sequence[str]) -> str:
    lines = text.split("\n")
    draws.shuffle(lines)
    return "\n".join(lines)


def _indent_a_line(text: str, draws: random.Random, others: Sequence[str]) -> str:
    lines = text.split("\n")
    at = draws.randrange(len(lines))
    lines[at] = draws.choice((" ", "\t", "        ", "")) + lines[at].lstrip() if draws.random() < 0.5 else "   " + lines[at]
    return "\n".join(lines)


def _put_in_a_statement(text: str, draws: random.Random, others: Sequence[str]) -> str:
    lines = text.split("\n")
    lines.insert(draws.randrange(len(lines) + 1), draws.choice((*PIECES, *draws.choice(others).split("\n"))))
    return "\n".join(lines)


def _join_lines(text: str, draws: random.Random, others: Sequence[str]) -> str:
    places = [match.start() for match in re.finditer("\n", text)]
    if not places:
        return text
    at = draws.choice(places)
    return text[:at] + draws.choice((" ", "; ", "", "\\\n", ",", "\r\n")) + text[at + 1 :]


def _bracket(text: str, draws: random.Random, others: Sequence[str]) -> str:
    start, stop = sorted((_place(text, draws), _place(text, draws)))
    deep = draws.choice((1, 1, 1, 3, 60))
    return text[:start] + "(" * deep + text[start:stop] + ")" * draws.choice((deep, deep, deep - 1, deep + 1)) + text[stop:]


def _cut(text: str, draws: random.Random, others: Sequence[str]) -> str:
    return text[: _place(text, draws)]


MUTATIONS: tuple[Mutation, ...] = (
    _lose_characters,
    _put_in_junk,
    _double_a_piece,
    _lose_a_token,
    _swap_tokens,
    _replace_a_token,
    _replace_a_token,
    _shuffle_lines,
    _indent_a_line,
    _put_in_a_statement,
    _put_in_a_statement,
    _join_lines,
    _bracket,
    _cut,
)


def mutated(number: int, originals: Sequence[str]) -> str:
    """Text number `number`: one of the originals after one to six mutations. Texts stay below a hundred thousand characters."""
    draws = random.Random(number)
    text = draws.choice(originals)
    for _ in range(draws.choice((1, 1, 2, 2, 3, 6))):
        text = draws.choice(MUTATIONS)(text, draws, originals)[:100_000]
    return text


def monsters() -> dict[str, str]:
    """Texts that are made to take time or memory."""
    return {
        "tower of powers": "x = 9**9**9**9",
        "negative tower": "x = 2**-9**9**9",
        "large shift of a number": "x = 10**10**10 : 1",
        "long number": f"x = {'9' * 1_000_000}",
        "long exponent": "x = 1e999999999999",
        "nested brackets": f"dv/dt = {'(' * 10_000}v{')' * 10_000}/(10 ms) : 1",
        "brackets without end": f"dv/dt = {'(' * 10_000}v",
        "nested signs": f"x = {'-' * 10_000}1",
        "nested not": f"x = {'not ' * 5_000}True",
        "nested functions": f"x = {'exp(' * 5_000}1{')' * 5_000}",
        "nested conditions": f"x = {'1 if v > 0 else ' * 3_000}0; dv/dt = -v/(1 ms) : 1",
        "long chain of powers": f"x = {'^'.join(['2'] * 5_000)}",
        "long sum": f"x = {' + '.join(['1'] * 20_000)}",
        "long comparison": f"x = {' < '.join(['1'] * 5_000)}",
        "a line of ten megabytes": "x = " + "1 + " * 2_500_000 + "1",
        "ten megabytes of one name": "x" * 10_000_000,
        "ten megabytes of comment": "#" * 10_000_000 + "\nx = 1",
        "ten megabytes of blank lines": "\n" * 10_000_000,
        "a string without end": '"""' + "a" * 1_000_000,
        "definitions that double": "\n".join(["x0 = 1", *[f"x{k} = x{k - 1} + x{k - 1}*x{k - 1}" for k in range(1, 60)]]),
        "functions that double": "\n".join(
            ["f0(a) = a + 1", *[f"f{k}(a) = f{k - 1}(a) + f{k - 1}(a + 1)" for k in range(1, 40)], "x = f39(1)"]
        ),
        "states that double": "\n".join(
            ["dv/dt = y39/(1 ms) : 1", "y0 = v", *[f"y{k} = y{k - 1}*y{k - 1} + y{k - 1}" for k in range(1, 40)]]
        ),
        "many models": "\n".join(f"model m{k}(m{k + 1}):\n    x = {k}" for k in range(1_000)),
        "many names that are near": "\n".join(f"name_{k} = nome_{k + 1}" for k in range(3_000)),
        "units to a power": "x = 1 mV^999999999999",
        "units in a row": f"x = 1 {' '.join(['mV'] * 5_000)}",
        "a control character": "x = 1\x00; dv/dt = 1",
        "only a byte order mark": "\ufeff",
        "nothing": "",
    }

"""Coupled kernels made by chance, on the device that runs one thread at a time (see `simulated_coupled`), against the reference.

A phase reads states and whatever has been reduced before it in the step, stores some of it, may draw or be made for some neurons alone, and
ends with up to six reductions of all kinds. `test_cuda` runs this file in a process of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from dvdt.backends.kernel import (
    Array,
    Assign,
    Constant,
    Draw,
    Expr,
    Kernel,
    Kind,
    Matrix,
    MatrixProduct,
    Operation,
    Phase,
    Reduce,
    Store,
    Symbol,
)
from dvdt.backends.memory import Memory

from .simulated_coupled import DOUBLE, agree, filled, kernel_of

pytestmark = pytest.mark.filterwarnings("ignore")  # single NumPy numbers, whose overflows warn

STATES = {"x": Kind.REAL, "y": Kind.REAL, "z": Kind.REAL, "k": Kind.INTEGER, "b": Kind.BOOLEAN}
FOLDED = ("total", "mean", "largest", "smallest", "any", "count")
SIZES = (1, 2, 4, 5, 7, 13, 18, 33)


@dataclass
class Chance:
    draw: random.Random
    known: dict[str, Kind] = field(default_factory=lambda: {**STATES, "f": Kind.REAL})
    arrays: list[Array] = field(
        default_factory=lambda: [*[Array(*state, True) for state in STATES.items()], Array("f", Kind.REAL, False)]
    )
    names: int = 0

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def kernel(self) -> Kernel:
        phases = [self.phase() for _ in range(self.draw.randint(1, 6))]
        return kernel_of(tuple(self.arrays), *phases, matrices=(Matrix("W"),))

    def phase(self) -> Phase:
        stored = self.draw.sample(list(STATES), self.draw.randint(0, 3))
        body: list[Assign | Draw] = [Draw(self.name(), "uniform", self.names)] if self.draw.random() < 0.3 else []
        made = [self.statement(STATES[target]) for target in stored]
        stores = tuple(Store(target, statement.name) for target, statement in zip(stored, made, strict=True))
        if stored and "b" not in stored and self.draw.random() < 0.2:
            return Phase((), (*body, *made), (), stores, where="b")
        reductions = tuple(self.reduction() for _ in range(self.draw.choice([0, 1, 1, 2, 3, 6])))
        return Phase((), (*body, *made), (), stores, reductions)

    def statement(self, kind: Kind) -> Assign:
        if kind is Kind.INTEGER:
            return Assign(self.name(), kind, Operation("add", (Symbol("k"), Constant(self.draw.randint(-2, 3)))))
        value = self.expression()
        return Assign(self.name(), kind, Operation("greater", (value, Constant(0.1))) if kind is Kind.BOOLEAN else value)

    def expression(self) -> Expr:
        """A sum of some values, so small that nothing grows for long."""
        terms: list[Expr] = []
        for name in self.draw.choices(list(self.known), k=self.draw.randint(1, 3)):
            value = Symbol(name) if self.known[name] is Kind.REAL else Operation("to_real", (Symbol(name),))
            terms.append(Operation("multiply", (Constant(self.draw.choice([0.5, -0.25, 0.125])), value)))
        return terms[0] if len(terms) == 1 else Operation("add", tuple(terms))

    def reduction(self) -> Reduce | MatrixProduct:
        name, operation = self.name(), self.draw.choice([*FOLDED, "rank", "one_of", "product"])
        of = self.draw.choice(
            {"product": ["x", "b"], "rank": ["x", "k", "f"], "one_of": ["b", "x"]}.get(operation, [*STATES, "f"])
        )
        given = {"any": Kind.BOOLEAN, "one_of": Kind.BOOLEAN, "count": Kind.INTEGER, "rank": Kind.INTEGER}
        self.known[name] = given.get(operation, Kind.INTEGER if of == "k" and operation != "mean" else Kind.REAL)
        if operation in ("rank", "one_of", "product"):
            self.arrays.append(Array(name, self.known[name], True))
        if operation == "product":
            return MatrixProduct(name, "W", of)
        return Reduce(name, self.known[name], operation, of, stream=self.names)


@pytest.mark.parametrize("seed", range(60))
def test_kernels_made_by_chance(seed: int) -> None:
    draw = random.Random(seed)
    kernel, n = Chance(draw).kernel(), draw.choice(SIZES)
    draws = np.random.default_rng(seed)
    x, y, z, f = np.round(draws.normal(size=(4, n)) * 2) / 2 if seed % 3 == 0 else draws.normal(size=(4, n))  # with ties
    k, b, weights = draws.integers(-3, 4, n), draws.uniform(size=n) < 0.5, draws.normal(size=(n, n)) / n

    def memory() -> Memory:
        made = filled(kernel, n, DOUBLE, x=x, y=y, z=z, f=f, k=k, b=b)
        made.matrices = {"W": weights}
        return made

    if kernel.coupled:
        agree(kernel, memory)

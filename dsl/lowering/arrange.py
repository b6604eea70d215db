"""Expressions as a kernel computes them: what is constant in a run is hoisted, what is common to all neurons is done once a
step, products that feed sums become fused multiply-adds, integer powers become products.

How often a value changes is its pace: never within a run (one value, or one a neuron), once a step for all neurons, or freely.
"""

from __future__ import annotations

from enum import IntFlag

from ...backends.kernel import Assign, Constant, Expr, Hoist, Kind, Operation, Symbol, kind_of
from ..substitute import is_number, operations_of
from .products import expanded, factors_of, first_of, is_a, negative, plain_sum, product_of, quotient, second_of, signed, terms_of


class Pace(IntFlag):
    """FIXED is one value for a run; PER_NEURON adds one a neuron, PER_STEP one a step; FREE is both, or anything that a step computes."""

    FIXED = 0
    PER_NEURON = 1
    PER_STEP = 2
    FREE = 3


# functions and divisions: worth an array of its own rather than computing it again in every step
SLOW = frozenset(
    "divide power exp log log10 log2 log1p expm1 sqrt cbrt sin cos tan asin acos atan sinh cosh tanh exprel sinc sigmoid atan2 exprel_decay bernoulli"
    " floor_divide modulo element call uniform normal exponential poisson".split()
)


class Arranger:
    """Arranges expressions of one kernel; collects hoists for the run and uniform statements for the current phase."""

    def __init__(self, kinds: dict[str, Kind], paces: dict[str, Pace]) -> None:
        self.kinds = kinds
        self.paces = paces
        self.hoists: list[Hoist] = []
        self.uniform: list[Assign] = []
        self._hoisted: dict[Expr, Symbol] = {}
        self._uniform: dict[Expr, Symbol] = {}
        self._paces: dict[Expr, Pace] = {}
        self._made = 0

    def next_phase(self) -> list[Assign]:
        """The uniform statements of the phase that ends here; the next one begins without any."""
        done, self.uniform = self.uniform, []
        self._uniform.clear()
        return done

    def pace(self, expression: Expr) -> Pace:
        match expression:
            case Constant():
                return Pace.FIXED
            case Symbol(name):
                return self.paces[name]
            case Operation("rows" | "columns"):  # a table may be longer in the next run of the same kernel
                return Pace.PER_STEP
            case Operation(_, arguments):
                found = self._paces.get(expression)
                if found is None:
                    found = Pace.FIXED
                    for argument in arguments:
                        found |= self.pace(argument)
                    self._paces[expression] = found
                return found
        raise TypeError(expression)

    def kind(self, expression: Expr) -> Kind:
        return kind_of(expression, self.kinds)

    # ---- moving out of the loop

    def settle(self, expression: Expr) -> Expr | None:
        """A symbol that holds the expression where it can be computed outside the loop over neurons; None where it cannot."""
        pace = self.pace(expression)
        if not isinstance(expression, Operation) or pace is Pace.FREE:
            return None
        if pace is Pace.PER_STEP:
            return self._per_step(expression)
        if pace is Pace.PER_NEURON and not any(node.name in SLOW for node in operations_of(expression)):
            return None
        return self._hoist(expression, per_neuron=pace is Pace.PER_NEURON)

    def _hoist(self, expression: Expr, per_neuron: bool) -> Expr:
        found = self._hoisted.get(expression)
        if found is None:
            kind = self.kind(expression)
            if kind is Kind.DOUBLE and per_neuron:
                kind = Kind.REAL
            found = self._hoisted[expression] = Symbol(f"@fixed{len(self.hoists)}")
            self.hoists.append(Hoist(found.name, expression, per_neuron))
            self.kinds[found.name] = kind
            self.paces[found.name] = Pace.PER_NEURON if per_neuron else Pace.FIXED
        return found

    def _per_step(self, expression: Expr) -> Expr:
        found = self._uniform.get(expression)
        if found is None:
            kind = self.kind(expression)
            inner = _narrow(self._rebuilt(expression), kind)
            kind = Kind.REAL if kind is Kind.DOUBLE else kind
            found = self._uniform[expression] = Symbol(f"@each{self._made}")
            self._made += 1
            self.uniform.append(Assign(found.name, kind, inner))
            self.kinds[found.name] = kind
            self.paces[found.name] = Pace.PER_STEP
        return found

    def _rebuilt(self, expression: Expr) -> Expr:
        """A per-step expression with its fixed parts hoisted, whole subtrees at a time."""
        if not isinstance(expression, Operation):
            return expression
        if self.pace(expression) is Pace.FIXED:
            return self._hoist(expression, per_neuron=False)
        expression = expanded(expression)
        return Operation(expression.name, tuple(self._rebuilt(argument) for argument in expression.arguments))

    # ---- as it was written

    def keep(self, expression: Expr) -> Expr:
        """The expression in the order in which it was written; only what is fixed or per step moves out."""
        settled = self.settle(expression)
        if settled is not None:
            return settled
        if not isinstance(expression, Operation):
            return expression
        expression = expanded(expression)
        return Operation(expression.name, tuple(self.keep(argument) for argument in expression.arguments))

    # ---- free to reassociate

    def arrange(self, expression: Expr) -> Expr:
        """The expression with sums and products regrouped by pace, and fused multiply-adds."""
        settled = self.settle(expression)
        if settled is not None:
            return settled
        if not isinstance(expression, Operation):
            return expression
        if self.kind(expression) is not Kind.REAL:
            expression = expanded(expression)
            rebuilt = Operation(expression.name, tuple(self.arrange(argument) for argument in expression.arguments))
            return self.arrange(rebuilt) if self.kind(rebuilt) is Kind.REAL else rebuilt
        if expression.name in ("add", "subtract"):
            return self._sum(expression)
        if expression.name in ("multiply", "divide", "negate", "power") and factors_of(expression)[1] != [expression]:
            sign, product = self._product(expression)
            return product if sign > 0 else Operation("negate", (product,))
        if expression.name == "exprel" and is_a(expression.arguments[0], "multiply"):
            return self._relaxation(expression)
        return Operation(expression.name, tuple(self.arrange(argument) for argument in expression.arguments))

    def _relaxation(self, expression: Operation) -> Expr:
        """exprel(dt*below(rate, 0)), which an exponential scheme writes, in the form that is known not to grow; dt is positive."""
        product = expression.arguments[0]
        assert isinstance(product, Operation)
        capped = [f for f in product.arguments if is_a(f, "below") and is_number(second_of(f), 0.0)]
        others = [f for f in product.arguments if f not in capped]
        positive = all(f == Symbol("@dt") or (isinstance(f, Constant) and f.value > 0) for f in others)
        if len(capped) != 1 or not positive:
            return Operation("exprel", (self.arrange(product),))
        rate = capped[0]
        assert isinstance(rate, Operation)
        return Operation("exprel_decay", (self.arrange(Operation("multiply", (*others, rate.arguments[0]))),))

    def _sum(self, expression: Operation) -> Expr:
        still: list[tuple[int, Expr]] = []
        moving: list[tuple[int, Expr]] = []
        for sign, term in terms_of(expression, 1):
            (moving if self.pace(term) & Pace.PER_NEURON else still).append((sign, term))
        parts = [(sign * turned, product) for sign, term in moving for turned, product in [self._term(term)]]
        plain = [part for part in parts if not is_a(part[1], "multiply")]
        products = [part for part in parts if is_a(part[1], "multiply")]
        if still:
            plain.append((1, self._settled_sum(still)))
        plain.sort(key=lambda part: part[0] < 0)
        if not plain or plain[0][0] < 0:
            products.sort(key=lambda part: part[0] < 0)
            plain.insert(0, products.pop(0)) if products else None
        total = signed(*plain[0])
        for sign, term in plain[1:]:
            total = Operation("add" if sign > 0 else "subtract", (total, term))
        for sign, product in products:
            total = self._fused(sign, product, total)
        return total

    def _settled_sum(self, terms: list[tuple[int, Expr]]) -> Expr:
        """What does not differ between neurons, as one symbol; the fixed part of it is hoisted first."""
        fixed = [term for term in terms if self.pace(term[1]) is Pace.FIXED]
        stepwise = [term for term in terms if self.pace(term[1]) is not Pace.FIXED]
        groups = [(1, plain_sum(fixed))] if fixed else []
        return self.keep(plain_sum(groups + stepwise))

    def _term(self, term: Expr) -> tuple[int, Expr]:
        if isinstance(term, Operation) and term.name in ("multiply", "divide", "negate", "power"):
            settled = self.settle(term)
            return (1, settled) if settled is not None else self._product(term)
        return 1, self.arrange(term)

    def _fused(self, sign: int, product: Expr, total: Expr) -> Expr:
        assert isinstance(product, Operation)
        first, rest = product.arguments[0], product.arguments[1:]
        second = rest[0] if len(rest) == 1 else Operation("multiply", rest)
        if any(self.kind(part) is not Kind.REAL for part in (first, second, total)):
            return Operation("add" if sign > 0 else "subtract", (total, product))
        return Operation("fma", (first if sign > 0 else negative(first), second, total))

    def _product(self, expression: Operation) -> tuple[int, Expr]:
        """(sign, product): one settled coefficient first, then what is free, over what divides."""
        coefficient, above, below = factors_of(expression)
        sign = -1 if coefficient < 0 else 1
        calm_above = [f for f in above if not self.pace(f) & Pace.PER_NEURON]
        calm_below = [f for f in below if not self.pace(f) & Pace.PER_NEURON]
        own_above = [f for f in above if self.pace(f) is Pace.PER_NEURON]
        own_below = [f for f in below if self.pace(f) is Pace.PER_NEURON]
        free_above = [self.arrange(f) for f in above if self.pace(f) is Pace.FREE]
        free_below = [self.arrange(f) for f in below if self.pace(f) is Pace.FREE]
        if own_below or any(node.name in SLOW for f in own_above for node in operations_of(f)):
            fixed_above = [f for f in calm_above if self.pace(f) is Pace.FIXED]
            fixed_below = [f for f in calm_below if self.pace(f) is Pace.FIXED]
            own = self.keep(quotient(abs(coefficient), fixed_above + own_above, fixed_below + own_below))
            rest = quotient(1.0, [f for f in calm_above if f not in fixed_above], [f for f in calm_below if f not in fixed_below])
            numerator = [own] if is_number(rest, 1.0) else [own, self.keep(rest)]
        else:
            calm = self._calm(abs(coefficient), calm_above, calm_below)
            numerator = [] if is_number(calm, 1.0) else [calm]
            numerator += [self.keep(f) for f in own_above]
        free_above += [Operation("bernoulli", (first_of(f),)) for f in free_below if is_a(f, "exprel")]
        free_below = [f for f in free_below if not is_a(f, "exprel")]
        if free_below:
            # the factor and the divisor meet first: rates such as a/exprel(x) stand in several terms, and are divided once
            numerator = [Operation("divide", (product_of(numerator), product_of(free_below)))]
        return sign, product_of(numerator + free_above)

    def _calm(self, coefficient: float, above: list[Expr], below: list[Expr]) -> Expr:
        fixed = quotient(
            coefficient, [f for f in above if self.pace(f) is Pace.FIXED], [f for f in below if self.pace(f) is Pace.FIXED]
        )
        settled = self.keep(fixed)
        above = [f for f in above if self.pace(f) is not Pace.FIXED]
        below = [f for f in below if self.pace(f) is not Pace.FIXED]
        if not above and not below:
            return settled
        top = product_of(([] if is_number(settled, 1.0) else [settled]) + above)
        return self.keep(Operation("divide", (top, product_of(below))) if below else top)


def _narrow(expression: Expr, kind: Kind) -> Expr:
    return Operation("to_real", (expression,)) if kind is Kind.DOUBLE else expression

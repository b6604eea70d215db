"""The catalogue of mistakes of syntax: one frozen dataclass each, with what is wrong, where, and what to type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .mistakes import Label, Mistake
from .nodes import Definition
from .source import Span


@dataclass(frozen=True)
class SyntaxMistake(Mistake):
    """`message`, `note` and `help` of the simple kinds stand here as fixed sentences."""

    code: ClassVar[str] = "syntax"


# ---- brackets ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnclosedBracket(SyntaxMistake):
    """A bracket that nothing closes: spans from the bracket to the last place where its partner can stand."""

    code: ClassVar[str] = "bracket"
    opening: Span = field(compare=False)

    @property
    def message(self) -> str:
        return "this `(` is never closed"

    @property
    def note(self) -> str:
        return "a `)` is missing in here"

    @property
    def help(self) -> str:
        return "write the missing `)`"


@dataclass(frozen=True)
class StrayBracket(SyntaxMistake):
    """A closing bracket that nothing opens: spans from the first place where its partner can stand to the bracket."""

    code: ClassVar[str] = "bracket"
    closing: Span = field(compare=False)

    @property
    def message(self) -> str:
        return "this `)` closes nothing"

    @property
    def note(self) -> str:
        return "a `(` is missing in here, or the `)` is one too many"

    @property
    def help(self) -> str:
        return "write the missing `(`, or take the `)` away"


@dataclass(frozen=True)
class SquareBracket(SyntaxMistake):
    """`[`, `]`, `{` or `}`, which mean nothing in the language."""

    code: ClassVar[str] = "bracket"
    bracket: str

    @property
    def message(self) -> str:
        return f"`{self.bracket}` has no meaning here"

    @property
    def help(self) -> str:
        return "group with `(` and `)`"


@dataclass(frozen=True)
class Indexing(SyntaxMistake):
    """`x[i]`."""

    code: ClassVar[str] = "habit"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` takes no index"

    @property
    def help(self) -> str:
        return f"every name already stands for the value of this neuron: write `{self.name}`"

    @property
    def replacement(self) -> str:
        return self.name


@dataclass(frozen=True)
class NestedTooDeeply(SyntaxMistake):
    """More levels than any equation needs, so that no later stage runs out of stack."""

    code: ClassVar[str] = "too-deep"
    limit: int

    @property
    def message(self) -> str:
        return f"this expression is more than {self.limit} levels deep"

    @property
    def help(self) -> str:
        return "give parts of it names of their own"


@dataclass(frozen=True)
class TextTooLong(SyntaxMistake):
    code: ClassVar[str] = "too-long"
    length: int
    limit: int

    @property
    def message(self) -> str:
        return f"the text has {self.length} characters; a model has at most {self.limit}"

    @property
    def help(self) -> str:
        return "give large tables of numbers as parameters from Python instead"


@dataclass(frozen=True)
class TooManyMistakes(SyntaxMistake):
    """Where reading stopped, because nearly everything before was wrong."""

    code: ClassVar[str] = "too-many"
    limit: int

    @property
    def message(self) -> str:
        return f"{self.limit} mistakes were found above: the text is not read from here on"

    @property
    def help(self) -> str:
        return "put those right first; `dv/dt = (E_L - v)/tau : mV` is an equation, `tau = 20 ms` a value, `# ...` a comment"


@dataclass(frozen=True)
class NumberTooLarge(SyntaxMistake):
    code: ClassVar[str] = "number"

    @property
    def message(self) -> str:
        return "this number is too large to be kept"

    @property
    def help(self) -> str:
        return "a number reaches to 1.7e308, a whole number without a point to 9223372036854775807; `inf` is infinity"


# ---- tokens that do not fit --------------------------------------------------------------------


@dataclass(frozen=True)
class Unexpected(SyntaxMistake):
    """Something stands where nothing of its kind can stand, and no closer cause is known."""

    found: str
    wanted: str

    @property
    def message(self) -> str:
        return f"`{self.found}` cannot stand here" if self.found else "something is missing at the end"

    @property
    def note(self) -> str:
        return f"expected {self.wanted}" if self.wanted else ""


@dataclass(frozen=True)
class MissingOperator(SyntaxMistake):
    """Two things side by side: `a b`, `(a)(b)`, `2 (a)`."""

    code: ClassVar[str] = "operator"
    left: str
    right: str
    in_call: bool = False

    @property
    def message(self) -> str:
        what = "a comma or an operator" if self.in_call else "an operator"
        return f"{what} is missing between `{self.left}` and `{self.right}`"

    @property
    def help(self) -> str:
        comma = f"for two arguments, write `{self.left}, {self.right}`; " if self.in_call else ""
        return f"{comma}to multiply, write `{self.left}*{self.right}`"


@dataclass(frozen=True)
class NotAUnit(SyntaxMistake):
    """A name after a number that is no unit: `3 v`, `20 msec`."""

    code: ClassVar[str] = "unit"
    number: str
    name: str
    near: str | None

    @property
    def message(self) -> str:
        return f"`{self.name}` is not a unit, and a name after a number is read as its unit"

    @property
    def help(self) -> str:
        times = f"`{self.number}*{self.name}`"
        return f"did you mean `{self.near}`? To multiply, write {times}" if self.near else f"to multiply, write {times}"

    @property
    def replacement(self) -> str | None:
        return self.near


@dataclass(frozen=True)
class CompoundAfterDivision(SyntaxMistake):
    """`x / 1.5 nA/mV`: is mV above or below?"""

    code: ClassVar[str] = "unit"
    quantity: str
    first: str
    rest: str

    @property
    def message(self) -> str:
        return f"`{self.quantity}` directly after a division can be read in two ways"

    @property
    def help(self) -> str:
        return f"write `/ ({self.quantity})`, or `/ ({self.first}) {self.rest}`"

    @property
    def replacement(self) -> str:
        return f"({self.quantity})"


@dataclass(frozen=True)
class MissingExpression(SyntaxMistake):
    """Nothing stands where a value is needed: after `=`, after an operator, between brackets."""

    code: ClassVar[str] = "missing"
    after: str

    @property
    def message(self) -> str:
        return f"a value is missing after `{self.after}`" if self.after else "a value is missing here"

    @property
    def note(self) -> str:
        return "expected a number, a name or a bracket"

    @property
    def help(self) -> str | None:
        return "`%` is the remainder of a division; one percent is `0.01`" if self.after == "%" else None


@dataclass(frozen=True)
class UnknownCharacter(SyntaxMistake):
    code: ClassVar[str] = "character"
    character: str

    @property
    def message(self) -> str:
        return f"`{self.character}` has no meaning here"

    @property
    def help(self) -> str | None:
        return {
            "$": "names are letters, digits and `_`",
            '"': "take the quotes away: names and numbers stand without them",
            "'": "take it away; a derivative is written `dv/dt`",
            "@": "to multiply a matrix, write `matmul(W, x)`",
            "!": "write `not`, or `!=` for unequal",
            "~": "write `not`",
            "|": "write `or`",
            "&": "write `and`",
            "\\": "no sign is needed to go on over the line end: end the line with an operator, or stay inside brackets",
        }.get(self.character)


@dataclass(frozen=True)
class QuotedText(SyntaxMistake):
    code: ClassVar[str] = "character"

    @property
    def message(self) -> str:
        return "text in quotes has no meaning here"

    @property
    def help(self) -> str:
        return "write names without quotes; a description goes between three quotes directly below `model NAME:`"


@dataclass(frozen=True)
class UnclosedDocstring(SyntaxMistake):
    code: ClassVar[str] = "docstring"
    quotes: str

    @property
    def message(self) -> str:
        return "this description is never closed"

    @property
    def help(self) -> str:
        return f"end it with {self.quotes}"


@dataclass(frozen=True)
class StrayDocstring(SyntaxMistake):
    code: ClassVar[str] = "docstring"

    @property
    def message(self) -> str:
        return "a description in quotes stands only at the top, directly below `model NAME:`"

    @property
    def help(self) -> str:
        return "write a comment: `# ...`"


# ---- = and ==, left sides ----------------------------------------------------------------------


@dataclass(frozen=True)
class AssignmentForComparison(SyntaxMistake):
    """`=` where a condition needs `==`, or a second `=` in a statement."""

    code: ClassVar[str] = "equals"

    @property
    def message(self) -> str:
        return "`=` defines, it does not compare"

    @property
    def help(self) -> str:
        return "did you mean `==`?"

    @property
    def replacement(self) -> str:
        return "=="


@dataclass(frozen=True)
class ComparisonForAssignment(SyntaxMistake):
    """`==` where an equation or a definition needs `=`."""

    code: ClassVar[str] = "equals"

    @property
    def message(self) -> str:
        return "`==` compares, it does not define"

    @property
    def help(self) -> str:
        return "did you mean `=`?"

    @property
    def replacement(self) -> str:
        return "="


@dataclass(frozen=True)
class MissingAssignment(SyntaxMistake):
    """A statement that has a name and a value and no `=` between them."""

    code: ClassVar[str] = "equals"
    left: str

    @property
    def message(self) -> str:
        return f"an `=` is missing after `{self.left}`"

    @property
    def help(self) -> str:
        return f"write `{self.left} = ...`"


@dataclass(frozen=True)
class MissingSeparator(SyntaxMistake):
    """Two statements on one line: `v = c u += d`."""

    code: ClassVar[str] = "statement"
    second: str

    @property
    def message(self) -> str:
        return f"another statement starts at `{self.second}`"

    @property
    def help(self) -> str:
        return f"write `; {self.second}`, or start a new line"


@dataclass(frozen=True)
class NoStatement(SyntaxMistake):
    """An expression that defines nothing; perhaps the end of the statement above."""

    code: ClassVar[str] = "statement"
    in_block: bool
    above: Span | None = field(compare=False, default=None)

    @property
    def message(self) -> str:
        return "this defines nothing"

    @property
    def note(self) -> str:
        return "expected `name = ...`" if self.in_block else "expected `dx/dt = ...`, `x = ...` or `x : unit`"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.above, "if it belongs to this line, an operator is missing at its end"),) if self.above else ()


@dataclass(frozen=True)
class LeftSide(SyntaxMistake):
    """Something left of `=` or `:` that cannot be defined."""

    code: ClassVar[str] = "statement"
    in_block: bool
    meant: str | None = None

    @property
    def message(self) -> str:
        return "only a name can be assigned here" if self.in_block else "this cannot stand left of `=` or `:`"

    @property
    def replacement(self) -> str | None:
        return self.meant

    @property
    def help(self) -> str:
        if self.meant is not None:
            return f"did you mean `{self.meant}`?"
        if self.in_block:
            return "write `name = ...`"
        return "write `dx/dt = ...` (a factor may stand before it: `tau*dx/dt = ...`), `x = ...`, `x(0) = ...` or `f(a, b) = ...`"


@dataclass(frozen=True)
class UnitOfArgument(SyntaxMistake):
    """`x = f(v : mV)`, `f(v : mV) = ...`."""

    code: ClassVar[str] = "statement"
    unit: str

    @property
    def message(self) -> str:
        return "the unit of an argument is written only where a function is declared that comes from outside, `f(v : mV) : nS`"

    @property
    def help(self) -> str:
        return f"take `: {self.unit}` away: units of what a text defines are checked where it is used"


@dataclass(frozen=True)
class FactorPlace(SyntaxMistake):
    """`dv/dt*2 = ...`, `dv/dt + v = ...`."""

    code: ClassVar[str] = "statement"
    derivative: str

    @property
    def message(self) -> str:
        return f"left of `=`, only a factor before `{self.derivative}` is read"

    @property
    def help(self) -> str:
        return f"write `factor*{self.derivative} = ...` and take everything else to the right"


@dataclass(frozen=True)
class BlockOperator(SyntaxMistake):
    """`w += b` outside a block."""

    code: ClassVar[str] = "statement"
    operator: str

    @property
    def message(self) -> str:
        return f"`{self.operator}` changes a value, which happens only inside an event or step block"

    @property
    def help(self) -> str:
        return "define with `=`, or indent the line under `spike when ...:` or `each step:`"


@dataclass(frozen=True)
class NotInBlock(SyntaxMistake):
    """A statement other than an assignment inside an event or step block."""

    code: ClassVar[str] = "statement"
    what: str

    @property
    def message(self) -> str:
        return f"{self.what} cannot stand inside an event or step block"

    @property
    def help(self) -> str:
        return "a block holds assignments: `v = c`, `w += b`"


# ---- units and flags ---------------------------------------------------------------------------


@dataclass(frozen=True)
class MissingUnit(SyntaxMistake):
    """`x :`, `dv/dt = ... : (unless refractory)`, or, with the name, `x (constant)`."""

    code: ClassVar[str] = "unit"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` needs a unit before its flags" if self.name else "a unit is missing after `:`"

    @property
    def help(self) -> str:
        return "write the unit, `: mV` for instance; `: 1` is no dimension"


@dataclass(frozen=True)
class MissingColon(SyntaxMistake):
    """`tau second`, `dv/dt = -v/tau volt`, a block without its colon."""

    code: ClassVar[str] = "colon"
    before: str

    @property
    def message(self) -> str:
        return f"a `:` is missing before `{self.before}`"

    @property
    def help(self) -> str:
        return f"write `: {self.before}`"


@dataclass(frozen=True)
class TwoColons(SyntaxMistake):
    code: ClassVar[str] = "colon"
    first: Span = field(compare=False)

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.first, "the first one"),)

    @property
    def message(self) -> str:
        return "a statement has one `:` with its unit"

    @property
    def help(self) -> str:
        return "take one away; a product of units is written `: volt*second`"


@dataclass(frozen=True)
class BadUnitSyntax(SyntaxMistake):
    """Something in a unit that is neither a unit nor a power: `: 10*mV`."""

    code: ClassVar[str] = "unit"
    found: str

    @property
    def message(self) -> str:
        return f"`{self.found}` cannot stand in a unit"

    @property
    def help(self) -> str:
        return "a unit is made of unit names, `*`, `/` and number powers: `mV`, `nS/cm^2`, `1/ms`; `1` is no dimension"


@dataclass(frozen=True)
class UnknownFlag(SyntaxMistake):
    code: ClassVar[str] = "flag"
    flag: str
    near: str | None
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.flag}` is not a flag"

    @property
    def help(self) -> str:
        return f"did you mean `{self.near}`?" if self.near else "flags are " + ", ".join(f"`{flag}`" for flag in self.known)

    @property
    def replacement(self) -> str | None:
        return self.near


# ---- words and layout --------------------------------------------------------------------------


@dataclass(frozen=True)
class MisspeltWord(SyntaxMistake):
    """A word of the language that is misspelt: `spke when`, `refractry 2 ms`, `els`."""

    code: ClassVar[str] = "word"
    word: str
    meant: str

    @property
    def message(self) -> str:
        return f"`{self.word}` is not a word of the language here"

    @property
    def help(self) -> str:
        return f"did you mean `{self.meant}`?"

    @property
    def replacement(self) -> str:
        return self.meant


@dataclass(frozen=True)
class MissingWord(SyntaxMistake):
    """The one word that has to stand in a place: `spike v > 1`, `a if c`."""

    code: ClassVar[str] = "word"
    word: str
    after: str

    @property
    def message(self) -> str:
        return f"`{self.word}` is missing after `{self.after}`" if self.after else f"`{self.word}` is missing"

    @property
    def help(self) -> str:
        if self.word in ("if", "else"):
            return "write `value if condition else other`"
        return f"write `{self.after} {self.word} ...`"


@dataclass(frozen=True)
class KeywordDefined(SyntaxMistake):
    """`refractory = 2 ms`: a parameter that nothing uses."""

    code: ClassVar[str] = "word"
    word: str
    meant: str

    @property
    def message(self) -> str:
        return f"this defines a parameter `{self.word}` that nothing uses"

    @property
    def help(self) -> str:
        return f"did you mean `{self.meant}`?"

    @property
    def replacement(self) -> str:
        return self.meant


MEANT_BY: dict[str, str] = {
    "refractory": "refractory {value}",
    "spike": "spike when {value}",
    "threshold": "spike when {value}",
    "reset": "spike when ...: {value}",
}


def keyword_defined(statement: Definition) -> KeywordDefined:
    """The mistake of a definition whose name is a word of the language and which nothing uses."""
    word = statement.name.id
    return KeywordDefined(statement.span, word, MEANT_BY[word].format(value=statement.expression.span.text))


@dataclass(frozen=True)
class BadIndentation(SyntaxMistake):
    code: ClassVar[str] = "indentation"
    column: int
    wanted: int

    @property
    def message(self) -> str:
        return f"this line starts in column {self.column}, the lines of its block in column {self.wanted}"

    @property
    def help(self) -> str:
        return "start all statements of a block in one column"


@dataclass(frozen=True)
class MissingBlockColon(SyntaxMistake):
    """`spike when v > 1` with an indented line below and no colon; spans the end of the header."""

    code: ClassVar[str] = "colon"

    @property
    def message(self) -> str:
        return "this line opens a block and does not end in `:`"

    @property
    def help(self) -> str:
        return "write a `:` at its end, and the block behind it or indented below"


@dataclass(frozen=True)
class EmptyBlock(SyntaxMistake):
    code: ClassVar[str] = "indentation"

    @property
    def message(self) -> str:
        return "the `:` opens a block, but no indented line follows"

    @property
    def help(self) -> str:
        return "indent the lines of the block, or take the `:` away"


@dataclass(frozen=True)
class MixedText(SyntaxMistake):
    """Bare statements beside named models."""

    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "this statement belongs to no model, though the text names its models"

    @property
    def help(self) -> str:
        return "indent it under `model NAME:`"


@dataclass(frozen=True)
class ModelInside(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "a model cannot stand inside another model or block"

    @property
    def help(self) -> str:
        return "start `model NAME:` in the first column"


@dataclass(frozen=True)
class SynapseText(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "synapses are not read by this version"


@dataclass(frozen=True)
class CrossesOutsideEvent(SyntaxMistake):
    code: ClassVar[str] = "statement"

    @property
    def message(self) -> str:
        return "`crosses` has a meaning only in the condition of an event"

    @property
    def help(self) -> str:
        return "write `>` here, or use it in `spike when v crosses V_t` or `on NAME when ...`"


# ---- habits of other languages -----------------------------------------------------------------


@dataclass(frozen=True)
class Habit(SyntaxMistake):
    """What another language writes: `what` is said of it, `meant` is how it is written here (`replacement`: for exactly the spanned text)."""

    code: ClassVar[str] = "habit"
    what: str
    meant: str
    instead: str | None = None

    @property
    def message(self) -> str:
        return self.what

    @property
    def help(self) -> str:
        return self.meant

    @property
    def replacement(self) -> str | None:
        return self.instead


@dataclass(frozen=True)
class PrimeNotation(Habit):
    """`v' = ...`."""


@dataclass(frozen=True)
class SecondDerivative(Habit):
    """`d2v/dt2 = ...`."""


@dataclass(frozen=True)
class TernaryOperator(Habit):
    """`a ? b : c`."""


@dataclass(frozen=True)
class LogicOperator(Habit):
    """`&&`, `||`, `!`."""


@dataclass(frozen=True)
class SectionHeader(Habit):
    """`parameters:`."""


@dataclass(frozen=True)
class UnitBeforeEquals(Habit):
    """`tau ms = 20 ms`."""


@dataclass(frozen=True)
class DottedName(Habit):
    """`np.exp`."""


@dataclass(frozen=True)
class IfStatement(Habit):
    """`if v > 2: v = 0` in a block."""


@dataclass(frozen=True)
class ImaginaryNumber(Habit):
    """`1j`."""


@dataclass(frozen=True)
class ForeignComment(Habit):
    """`// ...`, `% ...`."""


@dataclass(frozen=True)
class WalrusAssignment(Habit):
    """`v := 2`."""


@dataclass(frozen=True)
class BracketedUnit(Habit):
    """`20 [ms]`, `20 (ms)`."""


@dataclass(frozen=True)
class DeclaringWord(Habit):
    """`const tau = 20 ms`."""


@dataclass(frozen=True)
class RuleWord(Habit):
    """`threshold v > 30 mV`, `reset: v = c`, `spike: v > 30 mV`."""


@dataclass(frozen=True)
class ValueBehindColon(Habit):
    """`tau: 20 ms`."""


@dataclass(frozen=True)
class Arrow(Habit):
    """`v -> c`."""


@dataclass(frozen=True)
class AbsoluteBars(Habit):
    """`|v|`."""

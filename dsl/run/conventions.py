"""How simulators count: the stamp of a spike and the rows of a recording. The rest of a convention is compiled into the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Convention:
    """`stamp`: a spike of the step from t_k carries t_(k + stamp). A run from t_a to t_b records t_(a + first_row) to t_(b - rows_short)."""

    name: str
    stamp: int
    first_row: int
    rows_short: int

    def first_due(self, first: int, every: int) -> int:
        """The first step, not before `first`, at whose start a row is due that comes every `every` steps."""
        return -(-(first + self.first_row) // every) * every

    def rows(self, first: int, last: int, every: int) -> int:
        """How many rows a run of the steps `first` to `last` (not included) writes."""
        return max(0, (last - self.rows_short - self.first_due(first, every)) // every + 1)


CONVENTIONS: Mapping[str, Convention] = {
    "dvdt": Convention("dvdt", stamp=1, first_row=0, rows_short=0),
    "brian2": Convention("brian2", stamp=0, first_row=0, rows_short=1),
    "nest": Convention("nest", stamp=1, first_row=1, rows_short=0),
}

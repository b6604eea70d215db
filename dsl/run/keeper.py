"""Keeper: a run that is saved on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..errors import UsageError
from .checkpoint import Goal
from .loop import Onward

USUAL = 60.0  # seconds between two checkpoints where nobody says how often
SHARE = 20  # times as long as the last one took, at least: a file of many recordings is written whole each time


class Keeper(Onward):
    """Has a checkpoint written every `goal.every` steps, or, where that is None, about once a minute, and never for more than a twentieth
    of the time.

    `write` writes the one for a step. `trouble` says why the last one could not be written, and is empty where it could.
    """

    def __init__(self, path: Path, goal: Goal, write: Callable[[Path, Goal, int], None]) -> None:
        self.path, self.goal = path, goal
        self.trouble = ""
        self._write = write
        self._written, self._pause = time.perf_counter(), USUAL

    def limit(self, step: int, last: int) -> int:
        every = self.goal.every
        return last if every is None else min(last, (step // every + 1) * every)

    def reached(self, step: int) -> bool:
        every = self.goal.every
        due = time.perf_counter() - self._written >= self._pause if every is None else step % every == 0
        return not due or step == self.goal.last or self.keep(step)

    def keep(self, step: int) -> bool:
        """Write the checkpoint of a step now; False, with `trouble`, where that cannot be."""
        began = time.perf_counter()
        try:
            self._write(self.path, self.goal, step)
        except UsageError as error:
            self.trouble = str(error)
        self._written = time.perf_counter()
        self._pause = max(USUAL, SHARE * (self._written - began))
        return not self.trouble

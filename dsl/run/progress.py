"""Progress of a run: a bar on a terminal or in a notebook, never in a pipe, or a callable of one's own."""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec
from typing import Any

from .settings import Progress

DELAY = 0.5  # seconds that a run may take before a bar appears
INTERVAL = 0.1  # seconds between two lines of text


class Silent:
    """Tells nothing."""

    def tell(self, fraction: float) -> None:
        """The run is done to `fraction`."""

    def close(self) -> None:
        """The run is over."""


class Called(Silent):
    """Calls a person's callable with (fraction, elapsed seconds)."""

    def __init__(self, callable_: Any) -> None:
        self._callable = callable_
        self._start = time.perf_counter()

    def tell(self, fraction: float) -> None:
        self._callable(fraction, time.perf_counter() - self._start)


class Bar(Silent):
    """tqdm's bar, in percent."""

    def __init__(self, tqdm: Any) -> None:
        form = "{l_bar}{bar}| {elapsed}<{remaining}"
        self._bar = tqdm(total=100.0, bar_format=form, delay=DELAY, leave=False, file=sys.stderr, **_size())

    def tell(self, fraction: float) -> None:
        self._bar.update(100.0 * fraction - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class Line(Silent):
    """One line of text that is written over, where tqdm is not installed."""

    def __init__(self) -> None:
        self._start = self._told = time.perf_counter()
        self._shown = False

    def tell(self, fraction: float) -> None:
        now = time.perf_counter()
        if now - self._start > DELAY and now - self._told > INTERVAL:
            self._told, self._shown = now, True
            print(f"\r{100 * fraction:5.1f} %  {now - self._start:.0f} s", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._shown:
            print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)


def teller(progress: Progress) -> Silent:
    """What tells the progress of one run."""
    if callable(progress):
        return Called(progress)
    if progress is False or (progress is None and not (_terminal() or in_notebook())):
        return Silent()
    return _bar()


def _bar() -> Silent:
    """tqdm's bar as a widget where a notebook has widgets, else as text; a line of our own where tqdm is not installed."""
    try:
        if in_notebook() and find_spec("ipywidgets") is not None:
            from tqdm.notebook import tqdm
        else:
            from tqdm.std import tqdm
    except ImportError:
        return Line()
    return Bar(tqdm)


def _size() -> dict[str, int]:
    """What tqdm is told of a terminal that calls itself 0 columns wide, as in some containers: it would show nothing there."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):  # a notebook, which has its own
        return {}
    return {} if known else {"ncols": 80, "nrows": 24}


def _terminal() -> bool:
    return sys.stderr is not None and hasattr(sys.stderr, "isatty") and sys.stderr.isatty()


def in_notebook() -> bool:
    """Whether a notebook shows what this process prints."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"

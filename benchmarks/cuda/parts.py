"""Work on a GPU in processes of their own, told line by line: one that hangs, dies or loses its device costs its own figures, no others.

A device that has failed once answers nothing more to its process; so after every item that raises an error a new process is begun.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

Told = dict[str, Any]  # one line of a process: "item", "seconds", and what its work has returned, or "error"
MARK = "@told "  # before the lines that are meant for us
LONG_S = 60.0  # after which a process writes where it is
START_S = 40.0  # for the imports, the device and the first kernel
ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "benchmarks.cuda")


# ---- in the process that works -------------------------------------------------------------------


def work(items: Iterable[str], done: Callable[[str], Iterable[Told]]) -> None:
    """Do the items in turn and tell what each gives; end at the first that raises an error."""
    for item in items:
        tell({"item": item, "begun": True})
        faulthandler.dump_traceback_later(LONG_S)  # where it hangs
        began = time.perf_counter()
        try:
            for told in done(item):
                tell({"item": item, **told})
        except Exception as error:
            tell({"item": item, "error": described(error), "trace": traceback.format_exc()[-3000:]})
            return
        tell({"item": item, "done": True, "seconds": round(time.perf_counter() - began, 3)})


def tell(told: Told) -> None:
    print(MARK + json.dumps(told, default=float), flush=True)


def described(error: BaseException) -> str:
    """The first line of an error, with those that led to it."""
    lines = f"{type(error).__name__}: {error}".splitlines()
    behind = error.__cause__ or error.__context__
    return lines[0][:300] + (f" <- {described(behind)}" if behind is not None else "")


# ---- in the process that watches -----------------------------------------------------------------


def told_by(
    part: str, items: Sequence[str], until: float, silence: float, options: Sequence[str] = (), program: Sequence[str] = PROGRAM
) -> Iterator[Told]:
    """What processes tell that do the items of a part; `until` is a time of `time.monotonic`, `silence` the longest wait for a line.

    Every item ends with a line that says "done", "error", or "late" where no time was left for it.
    """
    left = list(items)
    while left and time.monotonic() < until:
        finished, why, trace = set(), "", ""
        command = [*program, "--part", part, "--items", ",".join(left), *options]
        for told in _lines(command, until, silence):
            if "stopped" in told:
                why, trace = told["stopped"], told.get("trace", "")
                break
            yield told
            if "done" in told or "error" in told:
                finished.add(told["item"])
        unfinished = [item for item in left if item not in finished]
        if unfinished and not finished:
            why = why or "the process told nothing"
        if unfinished and why and time.monotonic() < until:
            yield {"item": unfinished[0], "error": why, "trace": trace}
            unfinished = unfinished[1:]
        left = unfinished
    for item in left:
        yield {"item": item, "late": True}


def _lines(command: Sequence[str], until: float, silence: float) -> Iterator[Told]:
    """The lines of a process; the last one says why it "stopped", where it was not by itself and in order."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    lines: queue.Queue[str | None] = queue.Queue()
    errors: list[str] = []
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    reader = threading.Thread(target=lambda stream: errors.append(stream.read()), args=(process.stderr,), daemon=True)
    reader.start()
    wait, failed = START_S + silence, False
    try:
        while True:
            try:
                line = lines.get(timeout=max(0.1, min(wait, until - time.monotonic())))
            except queue.Empty:
                process.kill()
                yield {"stopped": f"stopped: nothing was heard of it for {wait:.0f} s", "trace": _said(reader, errors)}
                return
            if line is None:
                break
            if line.startswith(MARK):
                told: Told = json.loads(line.removeprefix(MARK))
                failed = failed or "error" in told
                wait = silence
                yield told
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        if process.returncode != 0 and not failed:
            said = _said(reader, errors)
            last = said.splitlines()[-1][:300] if said else ""
            yield {"stopped": f"the process ended with status {process.returncode}: {last}", "trace": said}
    finally:
        if process.poll() is None:
            process.kill()


def _said(reader: threading.Thread, errors: Sequence[str]) -> str:
    """The end of what a process that has ended wrote to its standard error."""
    reader.join(timeout=5)
    return "".join(errors).strip()[-3000:]


def _pass_on(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def at_once(shares: Sequence[Callable[[], Iterator[Told]]]) -> Iterator[Told]:
    """What several sources tell, as it comes."""
    lines: queue.Queue[Told | None] = queue.Queue()

    def drain(share: Callable[[], Iterator[Told]]) -> None:
        try:
            for told in share():
                lines.put(told)
        finally:
            lines.put(None)

    for share in shares:
        threading.Thread(target=drain, args=(share,), daemon=True).start()
    ended = 0
    while ended < len(shares):
        told = lines.get()
        if told is None:
            ended += 1
        else:
            yield told

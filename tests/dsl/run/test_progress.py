"""Progress: a bar where a person is looking, nothing in a pipe."""

from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest

pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))

RUN = """
import sys, types
from dvdt.dsl.run import progress
progress.DELAY = progress.INTERVAL = 0.0   # a run of a moment shows its bar
{before}
import dvdt
if {quick}:
    progress.DELAY = 100.0
result = dvdt.simulate("dv/dt = -v/(10 ms) : 1", "400 ms", backend="reference", method="euler", progress={progress})
print("steps", result.report.steps)
"""
WITHOUT_TQDM = "sys.modules['tqdm'] = None"
IN_A_NOTEBOOK = """
shell = type("ZMQInteractiveShell", (), {})()
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
"""


def command(before: str = "", progress: str = "None", quick: bool = False) -> list[str]:
    return [sys.executable, "-c", RUN.format(before=before, progress=progress, quick=quick)]


def on_a_terminal(arguments: list[str], columns: int = 80) -> str:
    """What a person sees who runs a command: its output and its errors are a terminal."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    child = subprocess.Popen(arguments, stdout=other, stderr=other, stdin=other, close_fds=True)
    os.close(other)
    seen = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        seen += part
    os.close(main)
    assert child.wait(60) == 0, seen.decode()
    return seen.decode()


def in_a_pipe(arguments: list[str]) -> tuple[str, str]:
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return run.stdout, run.stderr


@pytest.mark.parametrize("before", ["", WITHOUT_TQDM], ids=["tqdm", "without tqdm"])
def test_a_terminal_sees_a_bar_that_is_gone_at_the_end(before: str) -> None:
    if not before:
        pytest.importorskip("tqdm")
    seen = on_a_terminal(command(before))
    assert "%" in seen
    assert "steps 4000" in seen
    last_bar = seen.rindex("%")
    assert "\r" in seen[last_bar:]  # the line is free again for what is printed next
    assert "%" not in seen[seen.index("steps") :]


def test_a_terminal_that_does_not_know_its_width_shows_a_bar_too() -> None:
    """As in `docker exec -t` and under `script`: 0 columns."""
    pytest.importorskip("tqdm")
    assert "%" in on_a_terminal(command(), columns=0)


def test_a_short_run_shows_none() -> None:
    assert "%" not in on_a_terminal(command(quick=True))


@pytest.mark.parametrize("progress", ["None", "False"])
def test_a_pipe_sees_nothing(progress: str) -> None:
    assert in_a_pipe(command(progress=progress)) == ("steps 4000\n", "")


def test_a_pipe_sees_a_bar_where_it_is_asked_for() -> None:
    printed, told = in_a_pipe(command(progress="True"))
    assert printed == "steps 4000\n"
    assert "%" in told


def test_no_bar_on_a_terminal_where_none_is_wanted() -> None:
    assert "%" not in on_a_terminal(command(progress="False"))


@pytest.mark.parametrize("before", [IN_A_NOTEBOOK, IN_A_NOTEBOOK + WITHOUT_TQDM], ids=["tqdm", "without tqdm"])
def test_a_notebook_sees_a_bar_and_no_warning(before: str) -> None:
    """A notebook shows what is written to the errors, also where it has no widgets."""
    printed, told = in_a_pipe(command(before))
    assert printed == "steps 4000\n"
    assert "%" in told
    assert "Warning" not in told

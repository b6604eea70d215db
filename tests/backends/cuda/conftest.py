"""The table of what becomes of the library on a GPU, behind the tests that have compiled it."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    told = {str(text) for report in reports for key, text in getattr(report, "user_properties", ()) if key == "code"}
    if told:
        terminalreporter.section("machine code for compute capability 9.0")
        terminalreporter.write_line("\n".join(sorted(told)))

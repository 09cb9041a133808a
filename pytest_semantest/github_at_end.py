"""``--semantest-github``: a session in GitHub Actions has its summary written and prints its annotations."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pytest_semantest.command_at_end import CommandAtEnd, Deadline, Recorded
from pytest_semantest.protocol.printable import printable_line

#: How a note of ``semantest ci github`` begins that its user wants to read; others tell how it came by the run.
_NO_SUMMARY = "no summary: "


class GithubAtEnd:
    """What is shown: ``summary``, ``annotations`` or ``all``."""

    def __init__(self, show: str) -> None:
        self._show = show
        self._commands: list[str] = []
        self._problem = ""

    def write(self, recorded: Recorded, deadline: Deadline) -> None:
        """Have ``semantest ci github`` do it; what it prints is kept for the end."""
        try:
            arguments = ("ci", "github", recorded.run_id, "--show", self._show)
            summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
            command = CommandAtEnd(recorded, "github", *arguments, *(("--summary-file", summary) if summary else ()))
            code = command.exit_code(deadline)
        except (OSError, ValueError) as error:
            self._problem = str(error)
            return
        if code == 0:
            self._commands = command.output().splitlines()
            self._problem = reason if (reason := command.reason()).startswith(_NO_SUMMARY) else ""
        else:
            self._problem = "there was no time" if code is None else command.reason() or f"exit code {code}"

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The commands on lines of their own: GitHub reads them out of what the step prints."""
        for line in self._commands:
            terminalreporter.ensure_newline()
            terminalreporter.write_line(line)
        if self._problem:
            terminalreporter.write_line(f"semantest: GitHub: {printable_line(self._problem)}", yellow=True)

"""``--semantest-report``: what pytest asks ``semantest export`` for when all tests are over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_semantest.command_at_end import CommandAtEnd, Deadline, Recorded
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.report_formats import FORMATS, unknown_format

_UNFINISHED = "is not there yet, it is still being written"


class WantedReport:
    """One report: its format, where it goes, and that place as it is shown."""

    __slots__ = ("format", "path", "shown")

    def __init__(self, value: str, start: str) -> None:
        """``value``: ``FORMAT:PATH``, a whole path; ``start``: where the user is. Raises ``UsageError``."""
        self.format, _, self.path = value.partition(":")
        if self.format not in FORMATS:
            raise pytest.UsageError(f"--semantest-report: {unknown_format(self.format)}")
        if not self.path:
            raise pytest.UsageError(f"--semantest-report: {value!r} names no file: give FORMAT:PATH")
        self.shown = os.path.relpath(self.path, start) if self.path.startswith(os.path.join(start, "")) else self.path
        if os.path.isdir(self.path):
            raise pytest.UsageError(f"--semantest-report: {self.shown} is a folder: name a file in it")


class ReportsAtEnd:
    """Has the reports of a run written, and says what came of each."""

    def __init__(self, values: Sequence[str], start: str) -> None:
        """``start``: where the user is. Raises ``UsageError``."""
        self._wanted = [WantedReport(value, start) for value in values]
        #: A line for each report, and whether all are there.
        self.lines: list[str] = []
        self.complete = False

    def write(self, recorded: Recorded, deadline: Deadline) -> None:
        """Write them all."""
        started = [self._start(number, recorded) for number in range(len(self._wanted))]
        said = [one if isinstance(one, str) else self._outcome(one, deadline) for one in started]
        self.complete = not any(said)
        run_id = recorded.run_id
        # Of another id the file has a name that is near.
        named = run_id if run_id.replace("-", "").isalnum() else "{run}"
        self.lines = [
            f"{one.format} report: {one.shown.replace('{run}', named)}{problem and ' '}{problem}"
            for one, problem in zip(self._wanted, said, strict=True)
        ]

    def nothing_recorded(self) -> None:
        """There is nothing to write them from."""
        self.lines = [f"{one.format} report: {one.shown} is not written: nothing was recorded" for one in self._wanted]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Where each report is, or why not; as for the recording nothing when all is well and pytest is very quiet."""
        told = self.lines if terminalreporter.config.option.verbose >= -1 or not self.complete else []
        for line in told:
            terminalreporter.write_line(f"semantest: {printable_line(line)}", yellow=not self.complete)

    def _start(self, number: int, recorded: Recorded) -> CommandAtEnd | str:
        """Start the command for one report; else what is wrong."""
        wanted = self._wanted[number]
        try:
            os.makedirs(os.path.dirname(wanted.path) or ".", exist_ok=True)  # as --junitxml does
            arguments = ("export", "--format", wanted.format, "--run", recorded.run_id, "-o", wanted.path)
            return CommandAtEnd(recorded, f"report-{number}", *arguments)
        except (OSError, ValueError) as error:
            return f"is not written: {error}"

    @staticmethod
    def _outcome(command: CommandAtEnd, deadline: Deadline) -> str:
        """Wait for the command; what went wrong, or an empty text."""
        code = command.exit_code(deadline)
        if code is None:
            return _UNFINISHED
        return f"is not written: {command.reason() or f'exit code {code}'}" if code else ""

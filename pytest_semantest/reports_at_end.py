"""``--semantest-report``: what pytest asks ``semantest export`` for when all tests are over.

As with the shipper (``launch.py``) no child of pytest's stays: ``sh`` starts the command in a session of its own and
exits, and the command's exit code comes through a file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.report_formats import FORMATS, unknown_format
from pytest_semantest.protocol.spawning import isolated_environment, semantest_command

_POLL_S = 0.02
#: As ``remove`` of the shipper's folder.py knows files that go with the session.
_SUFFIX = ".tmp"
_UNFINISHED = "is not there yet, it is still being written"
_SCRIPT = 'code="$1"; said="$2"; shift 2; { "$@" </dev/null >/dev/null 2>"$said"; echo $? >"$code"; } >/dev/null 2>&1 &'


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

    _sleep = time.sleep
    _monotonic = time.monotonic
    _spawn = os.posix_spawn
    _waitpid = os.waitpid
    _open = open

    def __init__(self, values: Sequence[str], start: str, patience: float) -> None:
        """``start``: where the user is; ``patience``: seconds that all of them may take. Raises ``UsageError``."""
        self._wanted = [WantedReport(value, start) for value in values]
        self._patience = patience
        self._deadline = 0.0
        #: A line for each report, and whether all are there.
        self.lines: list[str] = []
        self.complete = False

    def write(self, directory: str, folder: str, run_id: str, *, shipped: bool) -> None:
        """Write them; ``folder`` is that of the session in ``directory``, ``shipped``: the database has all of it."""
        self._deadline = ReportsAtEnd._monotonic() + self._patience
        started = [self._start(number, directory, folder, run_id, shipped) for number in range(len(self._wanted))]
        said = []
        for number, problem in enumerate(started):
            said.append(problem or self._outcome(number, folder))
        self.complete = not any(said)
        named = (
            run_id if run_id.replace("-", "").isalnum() else "{run}"
        )  # of another id the file has a name that is near
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

    def _start(self, number: int, directory: str, folder: str, run_id: str, shipped: bool) -> str:
        """Start the command for one report; what is wrong with it, or an empty text."""
        wanted, place = self._wanted[number], os.path.abspath(directory)
        source = ("--sync-timeout", "0") if shipped else ("--journals",)
        command = semantest_command(
            *("export", "--format", wanted.format, "--run", run_id, "-o", wanted.path, "--directory", place, *source)
        )
        code, told = _files(folder, number)
        try:
            os.makedirs(os.path.dirname(wanted.path) or ".", exist_ok=True)  # as --junitxml does
            pid = ReportsAtEnd._spawn(
                "/bin/sh",
                ["sh", "-c", _SCRIPT, "sh", code, told, *command],
                isolated_environment(os.environ),
                setsid=True,
            )
        except (OSError, ValueError) as error:
            return f"is not written: {error}"
        with suppress(ChildProcessError):  # where SIGCHLD is ignored, or a handler of the user's takes every child
            ReportsAtEnd._waitpid(pid, 0)
        return ""

    def _outcome(self, number: int, folder: str) -> str:
        """Wait for the command, not after Ctrl-C; what went wrong, or an empty text."""
        code, told = _files(folder, number)
        try:
            while not (found := self._read(code)).endswith("\n"):
                if ReportsAtEnd._monotonic() >= self._deadline:
                    return _UNFINISHED
                ReportsAtEnd._sleep(_POLL_S)
        except KeyboardInterrupt:
            self._deadline = 0.0
            return _UNFINISHED
        if found == "0\n":
            return ""
        lines = self._read(told).strip().splitlines()
        reason = lines[-1].removeprefix("semantest: ") if lines else f"exit code {found.strip()}"
        return f"is not written: {reason}"

    @staticmethod
    def _read(path: str) -> str:
        try:
            with ReportsAtEnd._open(path, encoding="utf-8", errors="replace") as file:
                return file.read(65536)
        except OSError:
            return ""


def _files(folder: str, number: int) -> tuple[str, str]:
    """Where the exit code of a command goes, and what it says; deleted with the session's folder."""
    name = os.path.join(os.path.abspath(folder), f"report-{number}")
    return f"{name}.code{_SUFFIX}", f"{name}.said{_SUFFIX}"

"""How a command ends early: one line that says what to do, and an exit code."""

from __future__ import annotations

import sys
from typing import IO, Any

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.reports.inert import inert

#: As in reports/wording.py, which `semantest-recorder` does not need to import.
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOTHING = 3


class Stop(click.ClickException):
    """Ends the command with one line on stderr and ``exit_code``."""

    #: The command that says it.
    program = "semantest"

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it off the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line, or what its author made several of."""
        click.echo(as_text(f"{self.program}: {inert(self.format_message())}"), file=file or sys.stderr)


class NothingRecorded(Stop):
    """There is no run to show, or no such run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_NOTHING)

"""How a command ends early: one line that says what to do, and an exit code."""

from __future__ import annotations

import sys
from typing import IO, Any

import click

from semantest_recorder.reports.wording import EXIT_NOT_GREEN, EXIT_NOTHING


class Stop(click.ClickException):
    """Ends the command with one line on stderr and ``exit_code``."""

    def __init__(self, message: str, exit_code: int = EXIT_NOT_GREEN) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it off the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"semantest: {self.format_message()}", file=file or sys.stderr)


class NothingRecorded(Stop):
    """There is no run to show, or no such run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_NOTHING)

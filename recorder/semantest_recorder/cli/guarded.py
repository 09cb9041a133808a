"""What every command does when its output cannot be written, or when what it reads cannot be read."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Any

import click

from semantest_recorder.cli.stop import EXIT_FAILED, Stop

#: Why nothing more can be written to stdout: whoever closed or filled it knows, so nothing is said.
_OUTPUT_IS_OVER = frozenset({errno.EPIPE, errno.EBADF, errno.ENOSPC, errno.EIO})


class GuardedGroup(click.Group):
    """A group whose commands end with one line and an exit code, never with a traceback of what lies outside of us."""

    program = "semantest"

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click does it; a stdout that takes nothing more ends the command quietly, with exit code 1."""
        _open_streams()
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except OSError as error:
            if error.errno not in _OUTPUT_IS_OVER or error.filename is not None:
                raise
            _forget_output()
            sys.exit(EXIT_FAILED)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what cannot be read becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except Stop as stop:
            stop.program = self.program
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from semantest_recorder.cli.refusals import refusal_of  # noqa: PLC0415 - for what went wrong only

            refusal = refusal_of(error)
            if refusal is None:
                raise
            refusal.program = self.program
            raise refusal from error


def _open_streams() -> None:
    """Streams that were closed: stdout becomes one that refuses what is written, stderr one that forgets it.

    Whatever is opened next would get their numbers otherwise, a database say.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # a path need not be text


def _forget_output() -> None:
    """What is still buffered goes nowhere, so that the interpreter does not try it again at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

"""What a sync says: lines for people on stderr, results on stdout. Whether anybody listens changes nothing else."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.printable import printable_line


def say(text: str) -> None:
    """One line on stderr; what a recorder says of itself does not steer a terminal."""
    _write(sys.stderr, as_text(printable_line(text)))


def hand_over(result: str) -> None:
    """One line on stdout, as it is."""
    _write(sys.stdout, result)


def _write(stream: TextIO | None, line: str) -> None:
    if stream is None:  # it was closed before we came
        return
    try:
        print(line, file=stream, flush=True)
    except OSError:  # a pipe that nobody reads, a full disk: the shipment goes on
        _forget(stream)


def _forget(stream: TextIO) -> None:
    """What is still buffered goes nowhere, so that the interpreter does not fail with it at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

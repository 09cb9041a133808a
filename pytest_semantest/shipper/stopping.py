"""Stops a pytest whose run was cancelled: politely first, then not.

SIGINT goes to pytest and its workers, as by Ctrl-C in a terminal. After the grace every process of the session gets
SIGTERM, and 2 s later SIGKILL. A pytest that a shell started in the background ignores SIGINT; it looks for the
file ``stop`` between two tests (stop_request.py).
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pytest_semantest.protocol.layout import STOP
from pytest_semantest.protocol.whole_file import write_whole

_TERMINATE_S = 2.0


class Stoppable(Protocol):
    """A process of the session."""

    def send(self, number: signal.Signals) -> bool:
        """Sends a signal; false when the process is gone, or on another machine."""


class Stopping:
    """A cancellation that is under way. ``grace_s``: seconds that pytest has, from ``now`` (monotonic) on."""

    def __init__(self, folder: Path, reason: str, grace_s: float, now: float) -> None:
        self.reason = reason
        with suppress(OSError):  # a full disk, say: there are the signals
            write_whole(folder / STOP, reason.encode("utf-8", "replace"))
        self._steps = [
            (now, signal.SIGINT),
            (now + grace_s, signal.SIGTERM),
            (now + grace_s + _TERMINATE_S, signal.SIGKILL),
        ]

    def step(self, now: float, main: Stoppable | None, workers: Iterable[Stoppable]) -> list[str]:
        """Sends the signals that are due; what was sent, for the log."""
        sent = []
        while self._steps and now >= self._steps[0][0]:
            _at, number = self._steps.pop(0)
            targets = [process for process in (main, *workers) if process is not None]
            reached = sum(process.send(number) for process in targets)
            if reached:
                sent.append(f"{number.name} to {reached} of {len(targets)} processes: {self.reason}")
        return sent

"""The one connection that writes: a thread that commits queued batches in groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time

from semantest_recorder.core.batch import Batch, Verdict


def wall_ms() -> float:
    """Milliseconds since the epoch."""
    return time() * 1000.0


class Writer:
    """Opens (creates, migrates) the database at ``path`` and starts the writer thread.

    ``notices`` are lines for the user about what opening found, such as a corrupt file that was set aside.
    Raises ``DatabaseTooNew``, ``NotOurs`` or ``CannotOpen`` (store/errors.py).
    """

    notices: list[str]

    def __init__(self, path: Path, *, clock: Callable[[], float] = wall_ms) -> None:
        raise NotImplementedError

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""
        raise NotImplementedError

    def submit(self, batch: Batch, done: Callable[[Verdict], None]) -> None:
        """Queues the batch; ``done`` is called in the writer thread after its commit or its refusal.

        Never blocks. Raises ``RuntimeError`` after ``close``.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Commits and answers everything that is queued, then stops the thread and closes the database."""
        raise NotImplementedError

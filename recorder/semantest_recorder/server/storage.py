"""What the hub needs of the database: somebody who writes batches, and somebody who answers questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from semantest_recorder.core.batch import Batch, Verdict


class BatchWriter(Protocol):
    """What the hub needs of the store's writer."""

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""

    def submit(self, batch: Batch, done: Callable[[Verdict], None]) -> None:
        """Queues the batch and calls ``done`` in another thread."""


class Archive(Protocol):
    """What the hub asks of the database."""

    @property
    def at_once(self) -> int:
        """How many answers are found at a time."""

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of this id; quick, for it is asked in the loop."""

    async def find(self, query: str, parameters: Mapping[str, Any]) -> object:
        """The answer to a query of core/commands.py. Raises ``Refusal``."""

    def replay(self, start_ms: float, end_ms: float, types: list[str] | None) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of events between two moments, oldest first."""

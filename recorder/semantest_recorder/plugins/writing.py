"""A writer behind plugins: what is submitted goes through ``on_event`` first, what is committed is told to hooks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from semantest_recorder.core.batch import Batch, Committed, Verdict
from semantest_recorder.plugins.dispatch import Dispatcher

Done = Callable[[Verdict], None]
#: How long the end of the recorder waits for batches that are with plugins, in seconds.
WORK_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)


class ClosingWriter(Protocol):
    """The store's writer."""

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""

    def submit(self, batch: Batch, done: Done) -> None:
        """Queues the batch and calls ``done`` in another thread."""

    def close(self) -> None:
        """Commits what is queued, and ends."""


class PluginWriter:
    """The same, with plugins in front of it and behind it. Verdicts come in the order of ``submit`` all the same."""

    def __init__(self, writer: ClosingWriter, dispatcher: Dispatcher) -> None:
        self._writer = writer
        self._dispatcher = dispatcher
        self._closing = False

    @property
    def pending_events(self) -> int:
        """Events that were submitted and not yet answered."""
        return self._writer.pending_events + self._dispatcher.pending_events

    def submit(self, batch: Batch, done: Done) -> None:
        """Queues the batch; ``done`` is called in another thread after its commit or its refusal.

        Never blocks. Raises ``RuntimeError`` after ``close``.
        """
        if self._closing:
            raise RuntimeError("the writer is closed")
        dispatcher, writer = self._dispatcher, self._writer
        if not dispatcher.transforms:
            writer.submit(batch, lambda verdict: self._answer(verdict, done))
            return

        def answer(verdict: Verdict) -> None:
            dispatcher.settled(verdict)
            self._answer(verdict, done)

        dispatcher.transform(batch, lambda changed: writer.submit(changed, answer))

    def close(self) -> None:
        """Commits and answers what is queued; what plugins still hold after a while stays unanswered.

        The hooks of what was committed are called until the dispatcher is closed.
        """
        self._closing = True
        if not self._dispatcher.wait_until_worked(WORK_TIMEOUT_S):
            left = self._dispatcher.pending_events
            _log.error("plugins still hold %d events; they stay with who sent them, unacknowledged", left)
        self._writer.close()

    def _answer(self, verdict: Verdict, done: Done) -> None:
        try:
            done(verdict)
        finally:
            if isinstance(verdict, Committed):
                self._dispatcher.committed(verdict)

"""What the shipper itself sees of a session, written into its own journal: context, long phases, deaths.

A process that had no room for its end record left its end in its status slot: that is written into its journal.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from pytest_semantest.protocol.closing import closing_events
from pytest_semantest.protocol.events import IMPORTED, RUN_CONTEXT
from pytest_semantest.protocol.identity import MAIN_WORKER
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper.context import ContextLookup, lookup_for
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.own_journal import OwnJournal
from pytest_semantest.shipper.source import NO_ROOM, FollowedSource

#: The context of a run is not looked up any more when its journal is older: the work tree has moved on.
_CONTEXT_AGE_MS = 600_000.0


class Observer:
    """Observes the processes of one session. Times are monotonic seconds and wall milliseconds.

    ``wants_context``: it is not too late to look the context up. ``without_room_at``: when the disk was last too full
    for what was to be written. ``wrote_ends``: journals have grown since the last call.
    """

    def __init__(self, own: OwnJournal, redactor: Redactor, log: Log) -> None:
        self.wants_context = True
        self.without_room_at = -math.inf
        self.wrote_ends = False
        self._own = own
        self._redactor = redactor
        self._log = log
        self._context: ContextLookup | None = None

    def observe(
        self, processes: Sequence[FollowedSource], run_id: str, monotonic: float, wall_ms: float, *, closed: bool
    ) -> None:
        """Writes what is new; ``closed``: all ends are told. What cannot be written now is written later."""
        self.wrote_ends = False
        try:
            self._own.start(run_id, os.uname().nodename, wall_ms)
            self._observe_context(processes, wall_ms)
            self._observe_phases(processes, monotonic, wall_ms)
            if not closed:
                self._close([source for source in processes if source.watch is not None], run_id, wall_ms)
        except OSError as error:
            if error.errno in NO_ROOM:
                self.without_room_at = monotonic
            self._log(f"{os.path.basename(error.filename or self._own.path)} cannot be written: {error.strerror}")

    def _observe_context(self, processes: Sequence[FollowedSource], wall_ms: float) -> None:
        if self._own.context_told or not self.wants_context:
            return
        if self._context is None:
            written_ms = max(source.follower.modified_ms() for source in processes)
            if wall_ms - written_ms > _CONTEXT_AGE_MS:
                self.wants_context = False
                return
            main = next((source for source in processes if source.worker == MAIN_WORKER), None)
            start = (main.digest.start if main is not None else None) or {}
            if start.get("origin") == IMPORTED:  # it says itself where it ran, which was not here
                self.wants_context = False
                return
            self._context = lookup_for(start, self._redactor)
        context = self._context.take()
        if context is not None:
            self._own.append([{"type": RUN_CONTEXT, "timestamp": wall_ms, "payload": context}])

    def _observe_phases(self, processes: Sequence[FollowedSource], monotonic: float, wall_ms: float) -> None:
        for source in processes:
            if source.is_dead or source.digest.ended:
                continue
            found = source.long_phase(monotonic)
            test = source.digest.open_test if found is not None else None
            if found is not None and test is not None and test.seq == found[0]:
                observed = {
                    "source": source.outbox.source,
                    "worker": source.worker,
                    "testId": test.test_id,
                    "attempt": test.attempt,
                    "phase": found[1],
                }
                self._own.phase(wall_ms, observed)

    def _close(self, processes: Sequence[FollowedSource], run_id: str, wall_ms: float) -> None:
        """Says of the dead what they could not say themselves, once all that they wrote was read."""
        if any(source.is_dead and not source.settled for source in processes):
            return
        silent = [source for source in processes if source.is_dead and not source.digest.ended]
        told = self._own.crashes_told
        for source in silent:
            if source.outbox.source not in told and source.write_ending(run_id):
                self.wrote_ends = True
        if not silent or self.wrote_ends:
            return  # what was written is read next
        facts = [source.facts(redactor=self._redactor, crash_told=source.outbox.source in told) for source in processes]
        self._own.append(closing_events(facts, wall_ms, run_end_told=self._own.run_end_told))

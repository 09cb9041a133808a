"""The shipper's own journal: what it observed, as durable as what it ships.

It is a journal like any other and is shipped like any other. A shipper that takes over goes on where the one before
stopped, and sees in it what was already said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.appending import append_records, open_to_append
from pytest_semantest.protocol.closing import event_in, type_of
from pytest_semantest.protocol.events import RUN_CONTEXT, RUN_END, SHIPPER_START, TEST_PHASE, WORKER_CRASH, Event
from pytest_semantest.protocol.identity import SHIPPER_WORKER, source_name
from pytest_semantest.protocol.layout import JOURNAL_SUFFIX
from pytest_semantest.protocol.record import encode
from pytest_semantest.shipper.following import JournalFollower


class OwnJournal:
    """Appends events to ``shipper.journal`` of a session's folder.

    ``crashes_told`` are the sources for which a crash was written, ``run_end_told`` and ``context_told`` likewise,
    by this shipper or one before it. Raises ``OSError`` when there is one that cannot be appended to.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self.path = folder / f"{SHIPPER_WORKER}{JOURNAL_SUFFIX}"
        self.source = source_name(session, SHIPPER_WORKER)
        self.crashes_told: set[str] = set()
        self.run_end_told = False
        self.context_told = False
        self._session = session
        self._seq = 0
        if os.path.lexists(self.path):
            os.close(open_to_append(self.path))  # a link is met before anything is sent
            self._recall()

    @property
    def seq(self) -> int:
        """The seq of the last event."""
        return self._seq

    def start(self, run_id: str, host: str, now_ms: float) -> None:
        """Writes ``shipper/start`` unless the journal has begun. Raises ``OSError``."""
        if self._seq:
            return
        payload = {
            "runId": run_id,
            "session": self._session,
            "source": self.source,
            "worker": SHIPPER_WORKER,
            "pid": os.getpid(),
            "host": host,
        }
        self.append([{"type": SHIPPER_START, "timestamp": now_ms, "payload": payload}])

    def append(self, events: Sequence[Event]) -> None:
        """Writes events. Raises ``OSError``; none is written then."""
        if not events:
            return
        lines = []
        for number, event in enumerate(events, self._seq + 1):
            lines.append(encode(number, json.dumps(event, separators=(",", ":"), allow_nan=False).encode()))
        append_records(self.path, lines)
        self._seq += len(events)
        for event in events:
            self._remember(event["type"], event["payload"])

    def phase(self, now_ms: float, payload: dict[str, Any]) -> None:
        """Writes a ``test/phase`` observation. Raises ``OSError``."""
        self.append([{"type": TEST_PHASE, "timestamp": now_ms, "payload": payload}])

    def _recall(self) -> None:
        follower = JournalFollower(self.path)
        try:
            while not follower.drained:
                for entry in follower.read(final=True):
                    self._seq = entry.seq
                    kind = type_of(entry.body)
                    if kind in (WORKER_CRASH, RUN_END, RUN_CONTEXT):
                        self._remember(kind, event_in(entry.body)["payload"])
        finally:
            follower.close()

    def _remember(self, kind: str, payload: dict[str, Any]) -> None:
        if kind == WORKER_CRASH:
            self.crashes_told.add(str(payload.get("source")))
        elif kind == RUN_END:
            self.run_end_told = True
        elif kind == RUN_CONTEXT:
            self.context_told = True

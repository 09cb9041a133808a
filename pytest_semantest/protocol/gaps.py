"""The event that stands for a record that cannot be read: whoever reads a journal fills its holes with the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pytest_semantest.protocol.events import JOURNAL_GAP
from pytest_semantest.protocol.identity import source_name

#: All that a gap says; what exactly is wrong is told beside it, for it changes while a journal grows.
GAP_REASON: Final = "no readable record"
#: A seq that jumps further than this is not believed: filling the hole would cost more than the journal.
MAX_GAP: Final = 1_000_000


def opening_of(run_id: str, session: str, worker: str) -> dict[str, str]:
    """What a gap says beyond its reason when it is the first event of its source, which has to name its run."""
    return {"runId": run_id, "session": session, "source": source_name(session, worker), "worker": worker}


def gap_body(before: bytes, opening: Mapping[str, Any] | None = None) -> bytes:
    """The body of a gap: ``before`` is that of the record before it, ``opening`` as ``opening_of`` gives it."""
    payload = {"reason": GAP_REASON, **(opening or {})}
    event = {"type": JOURNAL_GAP, "timestamp": timestamp_of(before), "payload": payload}
    return json.dumps(event, separators=(",", ":")).encode()


def timestamp_of(body: bytes) -> float:
    """The timestamp of the event in ``body``, 0 when there is none."""
    try:
        timestamp = json.loads(body)["timestamp"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return 0.0
    return timestamp if isinstance(timestamp, int | float) and 0 <= timestamp < 1e15 else 0.0

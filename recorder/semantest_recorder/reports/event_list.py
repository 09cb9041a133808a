"""Events of a run as they were recorded: their public shape."""

from __future__ import annotations

from typing import Any

import msgspec

from semantest_recorder.reports.report import REPORT_SCHEMA, Public


class EventInfo(Public):
    """One event of the log, the ``seq``-th of its ``source``; ``payload``: what it says, a text if that is no JSON."""

    source: str
    seq: int
    type: str
    time_ms: float
    payload: Any


class EventPage(msgspec.Struct, kw_only=True):
    """Some events of a run, those of a source together and in the order of its log.

    ``next``: the cursor of the page behind, null on the last one. A page before may have few events, or none, where
    those of the types that were asked for are rare.
    """

    schema: int = REPORT_SCHEMA
    run: str
    events: list[EventInfo]
    next: str | None = None


def event_info(source: str, seq: int, kind: str, time_ms: float, payload: str) -> EventInfo:
    """The public shape of an event; ``payload`` is the text as it was recorded."""
    try:
        said = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        said = payload
    return EventInfo(source, seq, kind, time_ms, said)

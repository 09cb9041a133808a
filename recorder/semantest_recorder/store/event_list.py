"""The events of a run page by page, by type: those of a source together and in the order of its log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from semantest_recorder.store.queries import statements
from semantest_recorder.store.run_list import Place
from semantest_recorder.store.timeline import TimedEvent

_SQL = statements("event_list.sql")
#: How many events are looked at for one page, and how many characters of payloads it has at most, but for its first.
_LOOKED_AT, _PAGE_CHARS = 10_000, 4 * 1024 * 1024
_PORTION = 1000


class EventsFound(NamedTuple):
    """Some events of a run; ``last``: the place behind which there may be more."""

    events: list[TimedEvent]
    last: Place | None


def listed_events(
    connection: sqlite3.Connection, run_id: str, wanted: Callable[[str], bool], after: Place | None, most: int
) -> EventsFound:
    """At most ``most`` events of the types that are ``wanted``, behind the place ``after``: (key, seq) in the log.

    Fewer, also none, where they are rare or large. Raises ``sqlite3.Error``.
    """
    found, looked_at, size = list[TimedEvent](), 0, 0
    first, seq = (int(after.key), after.tie) if after is not None else (0, 0)
    for key, source in connection.execute(_SQL["sources"], (run_id, first)).fetchall():
        seq = seq if key == first else 0
        while portion := connection.execute(_SQL["types"], (key, seq, _PORTION)).fetchall():
            for seq, kind in portion:
                looked_at += 1
                if wanted(kind):
                    time_ms, payload = connection.execute(_SQL["event"], (key, seq)).fetchone()
                    found.append(TimedEvent(time_ms, source, seq, kind, payload))
                    size += len(payload)
                if len(found) == most or size > _PAGE_CHARS or looked_at == _LOOKED_AT:
                    return EventsFound(found, Place(key, seq))
    return EventsFound(found, None)

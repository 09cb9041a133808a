"""The events of all sources between two moments, in the order of their times."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

_SQL = statements("timeline.sql")
#: Events fetched of one source at a time, so that no read transaction lasts.
_PAGE = 500


class TimedEvent(NamedTuple):
    """An event and its place; they sort by time, then source, then seq. ``payload`` is JSON."""

    time_ms: float
    source: str
    seq: int
    type: str
    payload: str


class InvalidCursor(ValueError):  # noqa: N818 - named for what it says about its argument
    """A cursor that was not given out here."""


def events_between(path: Path, start_ms: float, end_ms: float, after: str | None = None) -> Iterator[TimedEvent]:
    """The events from ``start_ms`` to ``end_ms`` (both included), and behind the cursor ``after``.

    Within a source the order is that of the log: a time that goes backwards there counts as the latest one before.
    Raises ``InvalidCursor`` and what ``Reader`` raises.
    """
    passed = _place(after) if after is not None else None
    with closing(connect_read_only(path)) as connection:
        try:
            sources = connection.execute(_SQL["sources_between"], (start_ms, end_ms)).fetchall()
            begin = start_ms if passed is None else max(start_ms, passed[0])
            streams = [_stream(connection, key, source, begin, end_ms) for key, source in sources]
            for event in heapq.merge(*streams):
                if passed is None or event[:3] > passed:
                    yield event
        except sqlite3.Error as error:
            raise CannotOpen(path, str(error)) from None


def cursor_of(event: TimedEvent) -> str:
    """What ``events_between`` takes to go on behind the event."""
    return f"{event.time_ms!r}:{event.seq}:{event.source}"


def _place(cursor: str) -> tuple[float, str, int]:
    time_ms, _, rest = cursor.partition(":")
    seq, _, source = rest.partition(":")
    try:
        return float(time_ms), source, int(seq)
    except ValueError:
        raise InvalidCursor(f"{cursor[:100]!r} is no cursor: take the one that came with the page before") from None


def _stream(
    connection: sqlite3.Connection, key: int, source: str, start_ms: float, end_ms: float
) -> Iterator[TimedEvent]:
    found: Sequence[Sequence[int]] = connection.execute(_SQL["first_at"], (key, start_ms)).fetchall()
    if not found:
        return
    seq, latest = found[0][0], start_ms
    while True:
        page = connection.execute(_SQL["next_events"], (key, seq, _PAGE)).fetchall()
        for at, kind, time_ms, payload in page:
            latest = max(latest, time_ms)
            if latest > end_ms:
                return
            yield TimedEvent(latest, source, at, kind, payload)
        if len(page) < _PAGE:
            return
        seq = page[-1][0] + 1

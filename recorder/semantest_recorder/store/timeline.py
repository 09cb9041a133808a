"""The events of all sources between two moments, in the order of their times."""

from __future__ import annotations

import heapq
import math
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("timeline.sql")
#: Events fetched of one source at a time, so that no read transaction lasts; a few at first, for many may overlap.
_PAGE = 500
_FIRST_PAGE = 20
#: By how much the time of a source's last event may be before that of another one in it (timeline.sql has it, too).
_CLOCK_SLACK_MS = 3_600_000.0


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

    Within a source the order is that of the log: a time that goes backwards there counts as the latest one before, and
    one that is ahead as the time when the event came, so that a wrong clock hides nothing that others said.
    Raises ``InvalidCursor`` and what ``Reader`` raises.
    """
    passed = _place(after) if after is not None else None
    with closing(connect_read_only(path)) as connection:
        try:
            sources = connection.execute(_SQL["sources_between"], (start_ms, end_ms)).fetchall()
            begin = start_ms if passed is None else max(start_ms, passed[0])
            for event in _merged(connection, sources, begin, end_ms):
                if passed is None or event[:3] > passed:
                    yield event
        except sqlite3.Error as error:
            raise CannotOpen(path, str(error)) from None


def newest_events(path: Path, wanted: Callable[[str], bool], limit: int) -> list[TimedEvent]:
    """The ``limit`` newest events of the types that are ``wanted``, newest first; no more than these are held.

    Within a source the order is that of the log. Raises what ``Reader`` raises.
    """
    found: list[tuple[tuple[float, str, int], TimedEvent]] = []  # a heap, its oldest first
    with closing(connect_read_only(path)) as connection:
        connection.create_function("wanted", 1, wanted, deterministic=True)
        try:
            for key, source, last_ms in connection.execute(_SQL["sources_by_age"]).fetchall():
                if len(found) >= limit and (not limit or last_ms + _CLOCK_SLACK_MS < found[0][0][0]):
                    break
                _take_newest(found, limit, source, connection.execute(_SQL["last_events"], (key, limit)))
        except sqlite3.Error as error:
            raise CannotOpen(path, str(error)) from None
    return [event for _place, event in sorted(found, reverse=True)]


def _take_newest(
    found: list[tuple[tuple[float, str, int], TimedEvent]], limit: int, source: str, rows: Iterable[Sequence[Any]]
) -> None:
    """Takes events of one source, last ones first, until those are older than what was found."""
    at_ms = math.inf
    for seq, kind, time_ms, payload in rows:
        at_ms = min(at_ms, time_ms)
        place = at_ms, source, seq
        if len(found) < limit:
            heapq.heappush(found, (place, TimedEvent(time_ms, source, seq, kind, payload)))
        elif place > found[0][0]:
            heapq.heapreplace(found, (place, TimedEvent(time_ms, source, seq, kind, payload)))
        else:
            return


def cursor_of(event: TimedEvent) -> str:
    """What ``events_between`` takes to go on behind the event."""
    return f"{event.time_ms!r}:{event.seq}:{event.source}"


def _place(cursor: str) -> tuple[float, str, int]:
    time_ms, _, rest = cursor.partition(":")
    seq, _, source = rest.partition(":")
    place = None
    with suppress(ValueError):
        place = float(time_ms), source, int(seq)
    if place is None or not source:
        raise InvalidCursor(f"{cursor[:100]!r} is no cursor: take the one that came with the page before")
    return place


def _merged(
    connection: sqlite3.Connection, sources: Sequence[tuple[int, str, float]], start_ms: float, end_ms: float
) -> Iterator[TimedEvent]:
    """The events of all sources in order; a source is read from the time on at which it began.

    So no more is held than pages of sources that overlap, however many the range has.
    """
    waiting = deque(sorted(sources, key=lambda source: (source[2], source[0])))
    open_streams: list[tuple[TimedEvent, int, Iterator[TimedEvent]]] = []
    while waiting or open_streams:
        while waiting and (not open_streams or waiting[0][2] <= open_streams[0][0].time_ms):
            key, source, _began = waiting.popleft()
            _push(open_streams, key, _stream(connection, key, source, start_ms, end_ms))
        if open_streams:
            event, key, stream = heapq.heappop(open_streams)
            yield event
            _push(open_streams, key, stream)


def _push(streams: list[tuple[TimedEvent, int, Iterator[TimedEvent]]], key: int, stream: Iterator[TimedEvent]) -> None:
    event = next(stream, None)
    if event is not None:
        heapq.heappush(streams, (event, key, stream))


class _Receipts:
    """When the events of a source came; asked in the order of its log."""

    def __init__(self, connection: sqlite3.Connection, key: int) -> None:
        self._connection = connection
        self._key = key
        #: Batches that are not passed yet, as (key, first seq, last seq, time).
        self._ahead: deque[tuple[int, int, int, float]] = deque()
        self._last_key = 0

    def first_from(self, start_ms: float) -> int | None:
        """The first event whose time is ``start_ms`` or later, and that came then or later."""
        seq = 1
        while True:
            row = self._connection.execute(_SQL["first_at"], (self._key, start_ms, seq)).fetchone()
            if row is None or self.of(row[0]) >= start_ms:
                return None if row is None else int(row[0])
            while self._batch(seq) and self._ahead[0][3] < start_ms:
                seq = self._ahead[0][2] + 1

    def of(self, seq: int) -> float:
        """When this event came."""
        batch = self._batch(seq)
        return batch[3] if batch is not None else math.inf

    def _batch(self, seq: int) -> tuple[int, int, int, float] | None:
        while True:
            while self._ahead and self._ahead[0][2] < seq:
                self._ahead.popleft()
            if self._ahead:
                return self._ahead[0]
            found = self._connection.execute(_SQL["batches_from"], (self._key, self._last_key, seq, _PAGE)).fetchall()
            if not found:
                return None
            self._ahead.extend(found)
            self._last_key = found[-1][0]


def _stream(
    connection: sqlite3.Connection, key: int, source: str, start_ms: float, end_ms: float
) -> Iterator[TimedEvent]:
    receipts = _Receipts(connection, key)
    found = receipts.first_from(start_ms)
    if found is None:
        return
    seq, latest, size = found, start_ms, _FIRST_PAGE
    while True:
        page = connection.execute(_SQL["next_events"], (key, seq, size)).fetchall()
        for at, kind, time_ms, payload in page:
            latest = max(latest, min(time_ms, receipts.of(at)))
            if latest > end_ms:
                return
            yield TimedEvent(latest, source, at, kind, payload)
        if len(page) < size:
            return
        seq, size = page[-1][0] + 1, _PAGE

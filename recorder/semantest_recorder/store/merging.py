"""Sources of another database, or of journals, into this one: once each, and never into what is over here.

Where they come from is not trusted (docs/design/merging.md): it can say anything of its own sessions and nothing more
of those that this database has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar

import msgspec

from semantest_recorder.core.batch import LIVE, Batch, RawEvent, Refused
from semantest_recorder.core.marking import marked
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.known import deleted_source
from semantest_recorder.store.marks import stored_marks
from semantest_recorder.store.queries import statements

_SQL = statements("merging.sql")
#: To whom merged sources belong: no token can be called so. The recorder itself may go on with them, nobody else.
HOLDER: Final = "merged/"
_AT_ONCE = 5000

ReadEvents = Callable[[int, int], list[RawEvent]]
P = ParamSpec("P")
T = TypeVar("T")


class Offer(msgspec.Struct):
    """A source that may be taken: ``read`` gives its events from one seq to another, both included.

    ``mark`` adds what was done to events before they were stored.
    """

    source: str
    session: str
    worker: str
    run_id: str
    last_seq: int
    received_ms: float
    read: ReadEvents
    mark: Callable[[Batch], Batch] = lambda batch: batch


class Taken(msgspec.Struct, rename="camel"):
    """What became of a source: ``events`` of it were new. ``refused``: why it, or the rest of it, was not taken."""

    source: str
    run: str
    events: int = 0
    refused: str | None = None


class OfferError(Exception):
    """What is offered is no log; the text says why."""


def offers_of(connection: sqlite3.Connection, run_id: str | None = None) -> list[Offer]:
    """The sources of a database, all or those of one run, without those that only their recorder may write.

    With ``run_id`` these are among them: it is for copies within one database. Raises ``sqlite3.Error``, and
    ``StoreError`` for a database that no recorder made.
    """
    no_table = connection.execute(_SQL["no_table"]).fetchone()
    if no_table is not None:  # a view may take for ever
        raise StoreError(f"its {no_table[0]} is no table")
    found = []
    for key, source, session, worker, run, last_seq, received_ms in connection.execute(_SQL["sources"]).fetchall():
        are_names = all(isinstance(name, str) for name in (source, session, worker, run))
        if not (are_names and isinstance(last_seq, int) and isinstance(received_ms, float | None)):
            raise StoreError("its list of sources holds what no recorder wrote")
        if source.startswith(LIVE) if run_id is None else run != run_id:
            continue
        read, mark = _of_offer(_reader(connection, key)), _of_offer(_marker(connection))
        found.append(Offer(source, session, worker, run, last_seq, received_ms or 0.0, read, mark))
    return found


def _of_offer(read: Callable[P, T]) -> Callable[P, T]:
    """As ``read``, but for its ``sqlite3.Error``: that is about what is offered, not about where it goes."""

    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except sqlite3.Error as error:
            raise OfferError(f"it cannot be read: {error}") from None

    return reading


def _marker(connection: sqlite3.Connection) -> Callable[[Batch], Batch]:
    return lambda batch: marked(batch, stored_marks(connection, batch))


def _reader(connection: sqlite3.Connection, key: int) -> ReadEvents:
    def read(first: int, last: int) -> list[RawEvent]:
        rows = connection.execute(_SQL["events"], (key, first, last)).fetchall()
        if [row[0] for row in rows] != list(range(first, last + 1)):
            raise OfferError(f"of its events {first} to {last} only {len(rows)} are there")
        return [_event(*row) for row in rows]

    return read


def _event(seq: int, kind: Any, at: Any, payload: Any) -> RawEvent:
    """Raises ``OfferError`` for what no recorder would have stored."""
    try:
        msgspec.json.decode(payload)
    except (TypeError, ValueError, RecursionError):
        raise OfferError(f"event {seq} holds no JSON") from None
    if not isinstance(kind, str) or not isinstance(at, float):
        raise OfferError(f"event {seq} has no type or no time")
    return RawEvent(kind, at, msgspec.Raw(payload))


def copy_of(offer: Offer, run_id: str, sessions: Mapping[str, str]) -> Offer:
    """The source as one of another run: ``sessions`` maps the names of its run's sessions to those of the copies."""

    def read(first: int, last: int) -> list[RawEvent]:
        return [_renamed(event, offer.run_id, run_id, sessions) for event in offer.read(first, last)]

    session = sessions[offer.session]
    return Offer(f"{session}.{offer.worker}", session, offer.worker, run_id, offer.last_seq, offer.received_ms, read)


def _renamed(event: RawEvent, run: str, run_id: str, sessions: Mapping[str, str]) -> RawEvent:
    """The event with the names of the copy; one that names nothing stays as it is, byte by byte."""
    data = bytes(event.payload)
    if not any(name in data for name in (b'"runId"', b'"session"', b'"source"')):
        return event
    payload = msgspec.json.decode(data)
    if not isinstance(payload, dict):
        return event
    if payload.get("runId") == run:
        payload["runId"] = run_id
    session, source = payload.get("session"), payload.get("source")
    if isinstance(session, str):
        payload["session"] = sessions.get(session, session)
    if isinstance(source, str):
        owner, _, worker = source.rpartition(".")
        payload["source"] = f"{sessions[owner]}.{worker}" if owner in sessions else source
    return RawEvent(event.type, event.timestamp, msgspec.Raw(msgspec.json.encode(payload)))


class Merger:
    """Takes offers into the database behind ``connection``, which nobody else writes to; ``now_ms``: the time."""

    def __init__(self, connection: sqlite3.Connection, now_ms: float) -> None:
        self._connection = connection
        self._ingest = Ingest(connection)
        self._now_ms = now_ms

    @property
    def ingest(self) -> Ingest:
        """What takes the batches."""
        return self._ingest

    def take(self, offer: Offer) -> Taken:
        """Takes what is new of a source. Raises ``sqlite3.Error`` when this database cannot be written."""
        taken = Taken(offer.source, offer.run_id)
        try:
            start = self._start(offer)
            for batch in self._batches(offer, start):
                self._commit(batch)
                taken.events += len(batch.events)
        except OfferError as error:
            taken.refused = str(error)
        return taken

    def _commit(self, batch: Batch) -> None:
        """Raises ``OfferError`` when ingest refuses it."""
        (verdict,) = self._ingest.commit([batch])
        if isinstance(verdict, Refused):
            raise OfferError(verdict.message)

    def would_take(self, offer: Offer) -> Taken:
        """What ``take`` would do, as far as it can be told without doing it."""
        taken = Taken(offer.source, offer.run_id)
        try:
            taken.events = max(0, offer.last_seq - self._start(offer) + 1)
        except OfferError as error:
            taken.refused = str(error)
        return taken

    def _start(self, offer: Offer) -> int:
        """The first seq that is new here. Raises ``OfferError`` when the source cannot be taken."""
        row = self._connection.execute(_SQL["known"], (offer.source,)).fetchone()
        if row is None:
            if deleted_source(self._connection, offer.source):
                raise OfferError("its run was deleted here, so nothing of it is taken again")
            if self._connection.execute(_SQL["recorded_session"], (offer.session, HOLDER)).fetchone() is not None:
                raise OfferError("its session was recorded here: what is recorded here is not added to")
            _require_own_run(offer)
            return 1
        key, last_seq, holder, run_id = row
        if run_id != offer.run_id:
            raise OfferError(f"it belongs to run {run_id} here, and to {offer.run_id} there")
        own = _reader(self._connection, key)
        common = min(last_seq, offer.last_seq)
        for first in range(1, common + 1, _AT_ONCE):
            last = min(first + _AT_ONCE - 1, common)
            if own(first, last) != offer.read(first, last):
                raise OfferError("it has other events here: one of both was changed")
        if offer.last_seq > last_seq > 0 and holder != HOLDER:
            raise OfferError("it was recorded here, and goes on there: what is recorded here is not added to")
        return int(last_seq) + 1

    def _batches(self, offer: Offer, start: int) -> Iterator[Batch]:
        received_ms = min(offer.received_ms or self._now_ms, self._now_ms)
        for first in range(start, offer.last_seq + 1, _AT_ONCE):
            events = offer.read(first, min(first + _AT_ONCE - 1, offer.last_seq))
            yield offer.mark(Batch(offer.source, first, events, received_ms, holder=HOLDER))


def _require_own_run(offer: Offer) -> None:
    """Raises ``OfferError`` when the first event, by which a source gets its run, names another one than the list."""
    for event in offer.read(1, min(offer.last_seq, 1)):
        payload = msgspec.json.decode(event.payload)
        run_id = payload.get("runId") if isinstance(payload, dict) else None
        if run_id != offer.run_id:
            raise OfferError(f"its first event is of run {run_id!r}")


def expectation(run_id: str, session: str, sessions: int, now_ms: float) -> Offer:
    """A source that says of how many sessions a run is to be."""
    payload = {"runId": run_id, "session": session, "source": f"{session}.client", "worker": "client"}
    raw = msgspec.Raw(msgspec.json.encode({**payload, "sessions": sessions}))
    events = [RawEvent("run/expect", now_ms, raw)]
    return Offer(f"{session}.client", session, "client", run_id, 1, now_ms, _slices(events))


def told_events(source: str, session: str, worker: str, run_id: str, events: Sequence[RawEvent]) -> Offer:
    """A source whose events are all at hand."""
    return Offer(source, session, worker, run_id, len(events), 0.0, _slices(events))


def _slices(events: Sequence[RawEvent]) -> ReadEvents:
    return lambda first, last: list(events[first - 1 : last])

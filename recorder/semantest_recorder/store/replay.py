"""A new database out of the log of another one: every projection is computed again, all else is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from semantest_recorder.core.batch import Batch, RawEvent, Refused
from semantest_recorder.core.facts import opening_of
from semantest_recorder.core.payloads import MalformedError
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.origin import Origin
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.schema import creation_script

_SQL = statements("replay.sql")
#: Events in one transaction when batches are taken once more: by a recorder, and into a file that nobody else uses.
_GROUP = 20_000
_LARGE_GROUP = 100_000
_KEPT = (
    *("copy_batches", "copy_marks", "copy_meta", "copy_deleted_sources", "copy_aliases", "keep_quarantine"),
    *("copy_alerts", "copy_judged_runs", "copy_silences", "copy_deliveries"),
)

Progress = Callable[[int, int], None]


class CannotReplayError(StoreError):
    """The log itself is not what ingest would have taken."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the log cannot be replayed: {reason}; keep the file and report this")


class Rebuilt(msgspec.Struct):
    """How much was replayed."""

    batches: int = 0
    events: int = 0


class _Replay(Ingest):
    """Takes batches whose place in the log is there already, and copies their events from the database ``old``.

    Copying is one statement for a whole transaction: SQLite does it in a thread of its own while Python applies.
    """

    def __init__(self, connection: sqlite3.Connection, copier: Executor) -> None:
        super().__init__(connection)
        self._copier = copier
        self._copying: Future[sqlite3.Cursor] | None = None

    def _expect(self, batches: Sequence[Batch]) -> None:
        ranges = []
        for batch in batches:  # what has to be read for them now waits for no copying later
            origin = self._known(batch.source)
            if origin is not None:
                self._run(origin.run_id)
                ranges.append((origin.source_key, batch.first_seq, batch.first_seq + len(batch.events) - 1))
        self._copying = self._copier.submit(self._copy, ranges)

    def _append(self, origin: Origin, first: int, events: list[RawEvent], received_ms: float) -> None:  # noqa: ARG002
        if self._copying is None:  # its transaction was given up, and is tried in parts
            self._copy([(origin.source_key, first, first + len(events) - 1)])

    def _write(self) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            copying.result()
        super()._write()

    def _roll_back(self) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            wait([copying])
        super()._roll_back()

    def _copy(self, ranges: list[tuple[int, int, int]]) -> sqlite3.Cursor:
        return self._connection.execute(_SQL["copy_events"], (json.dumps(ranges),))


def rebuild(source: Path, target: Path, progress: Progress | None = None) -> Rebuilt:
    """Writes a new database at ``target``: the log of ``source``, and what follows from it, batch by batch.

    Beside the log (events, batches with their time and order, marks, tombstones of deleted sources, aliases) alerts
    and what others put into quarantine are kept; what ingest put there is tried again. ``progress`` is called with how
    many events are done, and of how many. A ``target`` that was not finished is no database that anybody should use.
    Raises ``FileExistsError`` when there is a ``target``, ``CannotReplayError`` for a log with holes, and what
    ``Reader`` raises for ``source``.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists: name a path that is free")
    with closing(connect_read_only(source)) as log, closing(_begin(target)) as connection:
        connection.execute("ATTACH ? AS old", (f"file:{quote(str(source.absolute()))}?mode=ro",))
        _copy_log(connection)
        done = _replay(connection, log, progress)
        beyond = connection.execute(_SQL["beyond_batches"]).fetchall()
        if beyond:
            raise CannotReplayError(f"{beyond[0][0]} has events that no batch names")
        connection.execute("DETACH old")
        connection.execute("PRAGMA main.locking_mode = NORMAL")
        connection.execute("PRAGMA main.synchronous = FULL")
        connection.execute("PRAGMA main.journal_mode = WAL").fetchone()  # synchronises all that was written
    return done


def _begin(target: Path) -> sqlite3.Connection:
    """An empty database that only we use, and that need not survive us before it is done."""
    target.touch(mode=0o600)
    name = f"file:{quote(str(target.absolute()))}"
    connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA main.journal_mode = MEMORY").fetchone()
    connection.execute("PRAGMA main.synchronous = OFF")
    connection.execute("PRAGMA main.locking_mode = EXCLUSIVE").fetchone()
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA main.cache_size = -131072")
    connection.executescript(f"BEGIN IMMEDIATE;\n{creation_script()}\nCOMMIT;")
    return connection


def _copy_log(connection: sqlite3.Connection) -> None:
    """Sources with their keys, each in the run that its first event names, and all that does not follow from events."""
    connection.execute("BEGIN IMMEDIATE")
    headless = connection.execute(_SQL["without_opening"]).fetchall()
    if headless:
        raise CannotReplayError(f"the first event of {headless[0][0]} is missing")
    for source_key, source, kind, time_ms, payload in connection.execute(_SQL["openings"]).fetchall():
        try:
            opening = opening_of(RawEvent(kind, time_ms, msgspec.Raw(payload.encode())))
        except MalformedError as error:
            raise CannotReplayError(f"the first event of {source} does not name its run: {error}") from None
        connection.execute(_SQL["place_run"], (opening.run_id,))
        row = (source_key, source, opening.run_id, opening.session, opening.worker)
        connection.execute(_SQL["place_source"], row)
    for query in _KEPT:
        connection.execute(_SQL[query])
    connection.execute("COMMIT")


def _replay(connection: sqlite3.Connection, log: sqlite3.Connection, progress: Progress | None) -> Rebuilt:
    done = Rebuilt()
    total = int(connection.execute(_SQL["count_events"]).fetchone()[0])
    with ThreadPoolExecutor(1, "copy") as copier:
        ingest = _Replay(connection, copier)
        for group in groups(log, connection.execute(_SQL["log_batches"]).fetchall(), _LARGE_GROUP):
            for verdict in ingest.commit(group):
                if isinstance(verdict, Refused):
                    raise CannotReplayError(verdict.message)
            done.batches += len(group)
            done.events += sum(len(batch.events) for batch in group)
            if progress is not None:
                progress(done.events, total)
    return done


def groups(log: sqlite3.Connection, rows: Iterable[tuple[Any, ...]], most: int = _GROUP) -> Iterator[list[Batch]]:
    """The batches that ``rows`` of query ``log_batches`` name, with their events, a transaction's worth at a time.

    Raises ``CannotReplayError`` when an event of one is missing.
    """
    group: list[Batch] = []
    size = 0
    for source, source_key, first, last, received_ms, holder in rows:
        found = log.execute(_SQL["log_events"], (source_key, first, last)).fetchall()
        if len(found) != last - first + 1:
            raise CannotReplayError(f"of events {first} to {last} of {source} only {len(found)} are there")
        events = [RawEvent(kind, at, msgspec.Raw(payload)) for kind, at, payload in found]
        group.append(Batch(source, first, events, received_ms, holder=holder or ""))
        size += len(events)
        if size >= most:
            yield group
            group, size = [], 0
    if group:
        yield group

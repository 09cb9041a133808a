"""Recomputes every projection from the log, and tells whether it is what ingest made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.core.batch import Batch, RawEvent, Refused
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

_SQL = statements("replay.sql")
#: Events in one transaction of the rebuilt database.
_GROUP = 20_000


class CannotReplayError(StoreError):
    """The log itself is not what ingest would have taken."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the log of {path} cannot be replayed: {reason}; keep the file and report this")


class Rebuilt(msgspec.Struct):
    """How much was replayed."""

    batches: int = 0
    events: int = 0


def rebuild(source: Path, target: Path) -> Rebuilt:
    """Writes a new database at ``target`` out of the log of ``source`` alone, in the order of its batches.

    Raises ``FileExistsError`` when there is a ``target``, ``CannotReplayError`` for a log with holes, and what
    ``Reader`` raises for ``source``.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists: name a path that is free")
    done = Rebuilt()
    with closing(connect_read_only(source)) as log:
        connection, _notices = open_for_writing(target, lambda: 0.0)
        with closing(connection):
            ingest = Ingest(connection)
            for group in groups(log, log.execute(_SQL["log_batches"]).fetchall()):
                for verdict in ingest.commit(group):
                    if isinstance(verdict, Refused):
                        raise CannotReplayError(source, verdict.message)
                done.batches += len(group)
                done.events += sum(len(batch.events) for batch in group)
    return done


def differences(first: Path, second: Path) -> list[str]:
    """What the projections of two databases do not agree on, one line each; keys, which may differ, are resolved."""
    with closing(connect_read_only(first)) as one, closing(connect_read_only(second)) as other:
        lines = []
        for table, sql in _SQL.items():
            if table.startswith("log_"):
                continue
            mine, theirs = set(one.execute(sql).fetchall()), set(other.execute(sql).fetchall())
            lines += [f"{table}: only in {first.name}: {row}" for row in _sorted(mine - theirs)]
            lines += [f"{table}: only in {second.name}: {row}" for row in _sorted(theirs - mine)]
        return lines


def groups(log: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Batch]]:
    """The batches that ``rows`` of query ``log_batches`` name, with their events, a transaction's worth at a time."""
    group: list[Batch] = []
    size = 0
    for source, source_key, first, last, received_ms in rows:
        found = log.execute(_SQL["log_events"], (source_key, first, last)).fetchall()
        events = [RawEvent(kind, at, msgspec.Raw(payload.encode())) for kind, at, payload in found]
        group.append(Batch(source, first, events, received_ms))
        size += len(events)
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _sorted(rows: set[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)

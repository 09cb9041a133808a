"""A run's rows out of the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import PayloadOf, RunRows, is_explained
from semantest_recorder.reports.details import EventsOf
from semantest_recorder.store.errors import CannotOpen, DatabaseTooNew, DatabaseTooOld, NotOurs
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import Reader, connect_read_only

#: Why the database that is there cannot be read.
CANNOT_READ = (CannotOpen, DatabaseTooNew, DatabaseTooOld, NotOurs)


class FoundRun(msgspec.Struct):
    """A run's rows, how to get its events and their payloads, and what the reader should be told about them."""

    rows: RunRows
    payload_of: PayloadOf
    notes: list[str]
    events_of: EventsOf


class StoredPayloads:
    """Payloads of the database at ``path`` by source and seq, over one connection: a report may ask for thousands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._query = statements("reader.sql")["payload"]

    def __call__(self, source: str, seq: int) -> dict[str, Any] | None:
        """The payload of one event, ``None`` when there is no such event or its payload is no object."""
        if self._connection is None:
            self._connection = connect_read_only(self._path)
        # All is fetched, so no read transaction outlives the query.
        rows = self._connection.execute(self._query, (source, seq)).fetchall()
        try:
            payload = msgspec.json.decode(rows[0][0]) if rows else None
        except (ValueError, RecursionError):  # kept as it came; the row has what could be read of it
            return None
        return payload if isinstance(payload, dict) else None


def reader_of(folder: Path) -> Reader:
    """The database of a ``.semantest`` folder; its methods raise ``NoDatabase`` when it is not there."""
    return Reader(folder / DATABASE)


def stored_rows(reader: Reader, run: RunRow, *, explained_only: bool) -> RunRows:
    """The rows of a run; with ``explained_only`` without attempts when no test needs to be explained."""
    results = reader.results(run.id)
    wanted = not explained_only or any(is_explained(result) for result in results)
    return RunRows(
        run=run,
        sources=reader.sources(run.id),
        results=results,
        attempts=reader.attempts(run.id) if wanted else [],
        suites=reader.suites(run.id),
        warnings=reader.warnings(run.id),
    )

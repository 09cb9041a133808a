"""A run out of the database: its rows, and the payloads of its events."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from pytest_semantest.protocol.identity import MAIN_WORKER
from semantest_recorder.core.rows import RunRow, TestEventRow
from semantest_recorder.reports.aggregate import RunRows, is_explained
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader

_SQL = statements("reader.sql")


class StoredPayloads:
    """Payloads of the database at ``path`` by source and seq, over one connection: a report may ask for thousands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __call__(self, source: str, seq: int) -> dict[str, Any] | None:
        """The payload of one event, ``None`` when there is no such event or its payload is no object.

        Raises what ``Reader`` raises.
        """
        rows = self._all(_SQL["payload"], source, seq)
        try:
            payload = msgspec.json.decode(rows[0][0]) if rows else None
        except (ValueError, RecursionError):  # kept as it came; the row has what could be read of it
            return None
        return payload if isinstance(payload, dict) else None

    def test_events(self, run_id: str, test_id: str) -> list[TestEventRow]:
        """As :meth:`Reader.test_events`."""
        return [TestEventRow(*row) for row in self._all(_SQL["test_events"], run_id, test_id)]

    def _all(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = connect_read_only(self._path)
        try:  # all is fetched, so no read transaction outlives the query
            return self._connection.execute(query, arguments).fetchall()
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None

    def close(self) -> None:
        """Lets go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def stored_rows(reader: Reader, run: RunRow, *, explained_only: bool) -> RunRows:
    """The rows of a run; with ``explained_only`` the attempts of tests that need to be explained only."""
    results = reader.results(run.id)
    if explained_only:
        explained = [result.test_id for result in results if is_explained(result)]
        attempts = reader.attempts_of(run.id, explained) if explained else []
    else:
        attempts = reader.attempts(run.id)
    sources = reader.sources(run.id)
    several = sum(source.worker == MAIN_WORKER for source in sources) > 1
    return RunRows(
        run=run,
        sources=sources,
        results=results,
        attempts=attempts,
        suites=reader.suites(run.id),
        warnings=reader.warnings(run.id),
        origins=reader.origins(run.id) if several else [],
    )

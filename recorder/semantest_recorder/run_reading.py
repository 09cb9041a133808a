"""What plugins are told of runs, out of the database: the same report and numbers that everybody else sees."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.answers.report import stored_report
from semantest_recorder.artifact_places import kept_place_finder
from semantest_recorder.core.run_status import run_status
from semantest_recorder.plugins.arguments import Picture
from semantest_recorder.plugins.backlog import Known
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.status import Status
from semantest_recorder.stored_run import StoredPayloads


class RunReading:
    """Reads the database at ``path``; every method but ``known_source`` raises what ``Reader`` raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = Reader(path)
        self._status = Status(path)
        self._source = statements("writer.sql")["source"]

    def known_source(self, source: str) -> Known | None:
        """How far a source is stored; ``None`` when it is not, or cannot be known."""
        try:
            with closing(connect_read_only(self._path)) as connection:
                row = connection.execute(self._source, (source,)).fetchone()
        except (StoreError, sqlite3.Error):
            return None
        return Known(row[1], row[4]) if row is not None else None

    def summary(self, run_id: str) -> Mapping[str, Any]:
        """The status of a run as clients see it, and ``counts`` of the final states of its tests, ``labels``."""
        row = self._reader.run_by_id(run_id)
        states, suites = self._status.counts(run_id)
        counts = msgspec.to_builtins(counts_of(states, closed=row.state in CLOSED_RUN_STATES))
        more = {"counts": counts, "labels": row.labels, "exitCode": row.exit_code}
        return run_status(row, states, suites) | more

    def report(self, run_id: str) -> Mapping[str, Any]:
        """What ``semantest report --json`` prints."""
        report = stored_report(self._path, run_id, kept_place_finder(self._path.parent))
        found: dict[str, Any] = msgspec.to_builtins(report)
        return found

    def pictures(self, run_id: str) -> Iterator[Picture]:
        """The pictures of a run's tests as they are stored, those of a test together."""
        rows = self._reader.pictures(run_id)
        with closing(StoredPayloads(self._path)) as payload_of:
            for row in rows:
                payload = payload_of(row.source, row.seq)
                if payload is not None and (row.type == "test/screenshot" or payload.get("kind") == "screenshot"):
                    yield Picture(f"{row.source}:{row.seq}", row.test_id, bool(row.failed), payload)

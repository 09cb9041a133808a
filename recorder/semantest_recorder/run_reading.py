"""What plugins are told of runs, out of the database: the same report and numbers that everybody else sees."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.answers.report import stored_report
from semantest_recorder.artifact_places import kept_place_finder
from semantest_recorder.core.run_status import run_status
from semantest_recorder.plugins.arguments import Picture, Step
from semantest_recorder.plugins.backlog import Known
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.status import Status
from semantest_recorder.stored_run import StoredPayloads

#: Of one run; a million would be half a gigabyte.
_STEP_EVENTS_MAX = 200_000


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

    def steps(self, run_id: str) -> list[Step]:
        """The steps of a run's tests, those of a process in the order in which they began; of very many the first."""
        return steps_of(self._reader.step_events(run_id, _STEP_EVENTS_MAX))


def steps_of(events: Iterable[tuple[str, int, str, str, float, str]]) -> list[Step]:
    """Steps out of their events (``Reader.step_events``); an end without a beginning is a step, too (pure)."""
    found: dict[tuple[str, str, int, str], Step] = {}
    for test_id, attempt, source, kind, time_ms, text in events:
        try:
            told = msgspec.json.decode(text, type=_StepPayload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        key = source, test_id, attempt, told.step_id
        step = found.get(key)
        if step is None:
            step = Step(test_id, attempt, source, told.step_id, told.parent_id or "", told.name or "step")
        if kind == "test/step/start":
            found[key] = msgspec.structs.replace(step, started_ms=time_ms)
        else:
            began_ms = step.started_ms if step.started_ms is not None else time_ms - max(0.0, told.duration or 0.0)
            status, error = told.status or "passed", _message(told.error)
            found[key] = msgspec.structs.replace(
                step, started_ms=began_ms, ended_ms=time_ms, status=status, error=error
            )
    return list(found.values())


class _StepPayload(msgspec.Struct, rename="camel"):
    step_id: str = ""
    parent_id: str | None = None
    name: str | None = None
    status: str | None = None
    duration: float | None = None
    error: Any = None


def _message(error: object) -> str:
    told = error.get("message") if isinstance(error, dict) else error
    return told if isinstance(told, str) else ""

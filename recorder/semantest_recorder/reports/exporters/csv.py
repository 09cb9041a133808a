"""``csv``: a row for each test, or for each attempt; safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Final

from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs
from semantest_recorder.reports.report import AttemptInfo, ErrorInfo, RunInfo, TestInfo
from semantest_recorder.reports.spreadsheet import no_formula
from semantest_recorder.reports.verdict import final_attempt

_ERROR_COLUMNS = ("error_type", "error_message", "error_file", "error_line", "reason")
#: Whether the run is whole.
_SHARD_COLUMNS = ("run_shards", "run_shards_missing")
TEST_COLUMNS: Final = (
    *("run", "run_started_at", "run_state", "test", "file", "line", "suite", "name", "params", "markers"),
    *("state", "attempts", "duration_ms", "worker", "job", "started_at"),
    *_ERROR_COLUMNS,
    *("quarantine_reason", "quarantine_owner", "quarantine_expires", "forgiven"),
    *_SHARD_COLUMNS,
)
ATTEMPT_COLUMNS: Final = (
    *("run", "run_started_at", "run_state", "test", "state", "attempt", "outcome", "phase", "worker", "job"),
    "started_at",
    *("duration_ms", "setup_ms", "call_ms", "teardown_ms", "subtests_passed", "subtests_failed"),
    *_ERROR_COLUMNS,
    *_SHARD_COLUMNS,
)

Cell = str | int | float | None


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:
    """A head line, then the rows of all runs; lines end as RFC 4180 says, an empty cell is unknown or none."""
    attempts = options.rows == "attempts"
    _write(stream, ATTEMPT_COLUMNS if attempts else TEST_COLUMNS)
    for run in runs:
        for test in run.tests(_none):  # rows hold nothing of what is in events
            if not attempts:
                _write(stream, _test_row(run.report.run, test))
                continue
            for attempt in test.attempts_detail:
                _write(stream, _attempt_row(run.report.run, test, attempt))


def _none(_test: TestInfo) -> bool:
    return False


def _test_row(run: RunInfo, test: TestInfo) -> Iterator[Cell]:
    final = final_attempt(test)
    yield from (run.id, run.started_at, run.state, test.id, test.file, test.line, test.suite, test.name, test.params)
    yield from (" ".join(test.markers), test.state, test.attempts, round(test.duration_ms, 3), test.worker, test.job)
    yield final.started_at if final is not None else None
    yield from _error_cells(test.error)
    yield test.reason
    told = test.quarantine
    yield from (None, None, None, None) if told is None else (told.reason, told.owner, told.expires, int(told.forgiven))
    yield from (run.shard_count, run.shards_missing)


def _attempt_row(run: RunInfo, test: TestInfo, attempt: AttemptInfo) -> Iterator[Cell]:
    yield from (run.id, run.started_at, run.state, test.id, test.state, attempt.attempt, attempt.outcome or "running")
    yield from (attempt.phase, attempt.worker, attempt.job, attempt.started_at, round(attempt.duration_ms, 3))
    yield from (attempt.phases.setup, attempt.phases.call, attempt.phases.teardown)
    yield from (attempt.subtests.passed, attempt.subtests.failed)
    yield from _error_cells(attempt.error)
    yield attempt.reason
    yield from (run.shard_count, run.shards_missing)


def _error_cells(error: ErrorInfo | None) -> Iterator[Cell]:
    if error is None:
        yield from (None, None, None, None)
    else:
        yield from (error.type, error.message, error.file, error.line)


def _write(stream: BinaryIO, cells: Iterator[Cell] | tuple[str, ...]) -> None:
    line = io.StringIO()
    csv.writer(line).writerow([no_formula(cell) if isinstance(cell, str) else cell for cell in cells])
    stream.write(line.getvalue().encode("utf-8", "backslashreplace"))

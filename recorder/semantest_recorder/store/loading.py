"""A run's state out of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from semantest_recorder.core.rows import AttemptRow, CrashRow, ResultRow, RunRow, SourceRow, SuiteRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.store.queries import statements

_SQL = statements("reader.sql")
_json = msgspec.json.decode
T = TypeVar("T")


def load_run(connection: sqlite3.Connection, run_id: str) -> RunState:
    """The state of a run that is in the database."""

    def rows(query: str, make: Callable[[Sequence[Any]], T]) -> list[T]:
        return [make(row) for row in connection.execute(_SQL[query], (run_id,))]

    return RunState.load(
        rows("run", run_row)[0],
        rows("sources", source_row),
        rows("results", result_row),
        rows("attempts", attempt_row),
        rows("suites", lambda row: SuiteRow(*row)),
        rows("crashes", lambda row: CrashRow(*row)),
    )


def run_row(row: Sequence[Any]) -> RunRow:
    """Of the columns of query ``run``."""
    (*plain, left_out, facts_source, context_source, labels, facts, context) = row
    plain[8] = bool(plain[8])
    return RunRow(*(*plain, _json(labels), _json(facts), _json(context), facts_source, context_source, left_out))


def source_row(row: Sequence[Any]) -> SourceRow:
    """Of the columns of query ``sources``."""
    source = SourceRow(*row)
    source.stopped_early = bool(source.stopped_early)
    source.interrupted = bool(source.interrupted)
    source.cancelled = bool(source.cancelled)
    source.timed_out = bool(source.timed_out)
    return source


def result_row(row: Sequence[Any]) -> ResultRow:
    """Of the columns of query ``results``."""
    *plain, forgiven, markers = row
    return ResultRow(*(*plain, bool(forgiven), () if markers == "[]" else tuple(_json(markers))))


def attempt_row(row: Sequence[Any]) -> AttemptRow:
    """Of the columns of query ``attempts``."""
    return AttemptRow(*(*row[:-4], *map(bool, row[-4:])))

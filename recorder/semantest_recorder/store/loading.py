"""A run's state out of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from semantest_recorder.core.rows import CrashRow, SuiteRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.store.queries import statements
from semantest_recorder.store.row_reading import attempt_row, result_row, run_row, source_row

_SQL = statements("reader.sql")
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

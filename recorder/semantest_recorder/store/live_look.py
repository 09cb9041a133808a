"""What a look at a run needs of its rows: what runs, the newest failures, what comes next, the newest events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow
from semantest_recorder.store.queries import statements
from semantest_recorder.store.row_reading import attempt_row, result_row, run_row
from semantest_recorder.store.run_counts import states_by_id

_SQL = statements("live_look.sql")
_READER = statements("reader.sql")


class LookRows(NamedTuple):
    """``attempts`` are those of ``bad`` and of running tests; ``events`` the newest, oldest first, by their worker.

    ``numbers``: how many tests are in each state.
    """

    run: RunRow
    numbers: Mapping[str, int]
    bad: list[ResultRow]
    attempts: list[AttemptRow]
    waiting: list[str]
    workers: list[str]
    events: list[tuple[str, RawEvent]]
    stacks: list[RawEvent]


class LookSize(NamedTuple):
    """How much is wanted at most."""

    failures: int
    running: int
    waiting: int
    events: int
    stacks: int


def read_look(
    connection: sqlite3.Connection, run_id: str, bad_states: Iterable[str], most: LookSize
) -> LookRows | None:
    """The rows of one moment; ``None`` when there is no such run. Raises ``sqlite3.Error``.

    Each state that is looked for costs a walk through the run's results, so only those are that some test is in.
    """
    connection.execute("BEGIN")
    numbers = states_by_id(connection, [run_id]).get(run_id, {})
    key = run_key(connection, run_id)
    if key is None:
        return None
    states = [state for state in bad_states if numbers.get(state)]
    wanted = key, msgspec.json.encode(states).decode(), most.failures
    bad = [result_row(row) for row in connection.execute(_SQL["bad"], wanted)] if states else []
    running = _first(connection, "running", key, most.running) if numbers.get("running") else []
    named = [row.test_id for row in bad] + running
    names = msgspec.json.encode(named).decode()
    stacks = connection.execute(_SQL["stacks"], (key, most.stacks)).fetchall()
    return LookRows(
        run_row(connection.execute(_READER["run"], (run_id,)).fetchone()),
        numbers,
        bad,
        [attempt_row(row) for row in connection.execute(_READER["attempts_of"], (run_id, names))],
        _first(connection, "waiting", key, most.waiting) if numbers.get("pending") else [],
        [row[0] for row in connection.execute(_SQL["workers"], (key,))],
        last_events(connection, key, most.events),
        [_event("worker/stack", time_ms, payload) for time_ms, payload in stacks],
    )


def run_key(connection: sqlite3.Connection, run_id: str) -> int | None:
    """The key of the run with this very id."""
    found = connection.execute(_SQL["key"], (run_id,)).fetchone()
    return None if found is None else int(found[0])


def last_events(connection: sqlite3.Connection, key: int, most: int) -> list[tuple[str, RawEvent]]:
    """The newest events of a run with their workers, oldest first."""
    rows = connection.execute(_SQL["last_events"], (key, most)).fetchall()
    return [(worker, _event(kind, time_ms, payload)) for worker, kind, time_ms, payload in rows[::-1]]


def _first(connection: sqlite3.Connection, query: str, key: int, most: int) -> list[str]:
    return [row[0] for row in connection.execute(_SQL[query], (key, most))]


def _event(kind: str, time_ms: float, payload: str) -> RawEvent:
    return RawEvent(kind, time_ms, msgspec.Raw(payload.encode("utf-8", "replace")))

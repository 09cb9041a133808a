"""Deletes runs while others are recorded: out of sight in one transaction, their rows piece by piece."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from semantest_recorder.core.retention import is_active
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.queries import statements

_SQL = statements("cleanup.sql")
#: What one piece does at most: so many rows, a few milliseconds' worth, runs out of sight, free pages given back.
_ROWS = 2000
_RUNS = 20
_PAGES = 500
#: A test that no run has any more is looked for in all of them; so many look-ups cost as much as a row.
_LOOKUPS = 20
_INCREMENTAL = 2
_OF_A_SOURCE = ("sweep_events", "sweep_batches", "sweep_quarantine", "sweep_marks")
_OF_A_RUN = ("sweep_crashes", "sweep_suites", "sweep_warnings", "sweep_attempts")
_WITH_TESTS = ("sweep_test_events", "sweep_results")


class Cleaned(msgspec.Struct, rename="camel"):
    """What became of runs that were to be deleted: ``kept`` are those of which something came meanwhile."""

    deleted: list[str]
    kept: list[str]


class Cleanup:
    """Deletes the runs called ``run_ids``, and what is left of earlier deletions that were cut short.

    ``step`` does a piece of it and says whether there is more. Killed between two pieces, nothing is half there: a run
    that was deleted is in no view, and its remaining rows go with the next cleanup or start of the recorder. Sources of
    deleted runs are remembered: what is sent of them again is acknowledged and dropped.
    """

    def __init__(self, run_ids: Sequence[str] = (), now_ms: float = 0.0) -> None:
        self._waiting = list(run_ids)
        self._now_ms = now_ms
        self.cleaned = Cleaned([], [])

    def step(self, ingest: Ingest) -> bool:
        """The next piece, in a transaction of its own. Raises ``sqlite3.Error``; it can be tried again then."""
        if self._waiting:
            ingest.between(self._delete_some)
            return True
        more = False

        def tidy(connection: sqlite3.Connection) -> Removed:
            nonlocal more
            removed = _sweep(connection)
            more = removed is not None or _give_pages_back(connection)
            return removed or Removed()

        ingest.between(tidy)
        if not more and self.cleaned.deleted:
            ingest.empty_log()  # what was deleted stands in it as well: the database would have grown
        return more

    def _delete_some(self, connection: sqlite3.Connection) -> Removed:
        some = self._waiting[:_RUNS]
        cleaned = Cleaned([], [])
        for run_id in some:
            self._delete(connection, run_id, cleaned)
        self._waiting = self._waiting[_RUNS:]
        self.cleaned.deleted += cleaned.deleted
        self.cleaned.kept += cleaned.kept
        return Removed(run_ids=cleaned.deleted)

    def _delete(self, connection: sqlite3.Connection, run_id: str, cleaned: Cleaned) -> None:
        row = connection.execute(_SQL["run_to_delete"], (run_id,)).fetchone()
        if row is None:
            return
        run_key, ended_ms, heard_ms = row
        if is_active(ended_ms, heard_ms or 0.0, self._now_ms):
            cleaned.kept.append(run_id)
            return
        connection.execute(_SQL["bury_sources"], (run_key, run_id, self._now_ms))
        for query in ("note_unswept", "drop_sources", "drop_run"):
            connection.execute(_SQL[query], (run_key,))
        cleaned.deleted.append(run_id)


def has_leftovers(connection: sqlite3.Connection) -> bool:
    """Whether a deletion was cut short."""
    return connection.execute(_SQL["next_unswept"]).fetchone() is not None


def _sweep(connection: sqlite3.Connection) -> Removed | None:
    """Deletes some rows that deleted runs have left; ``None`` when there are none."""
    if not has_leftovers(connection):
        return None
    tests: list[str] = []
    left = _ROWS
    while left > 0 and (row := connection.execute(_SQL["next_unswept"]).fetchone()) is not None:
        source_key, run_key = row
        done = _first_not_zero(connection, _OF_A_SOURCE, source_key, left)
        if not done and connection.execute(_SQL["run_is_left"], (run_key,)).fetchone()[0] == 1:
            done = _first_not_zero(connection, _OF_A_RUN, run_key, left) or _sweep_tests(
                connection, run_key, left, tests
            )
        if not done:
            connection.execute(_SQL["swept"], (source_key,))
        left -= done or 1
    return Removed(test_ids=tests)


def _sweep_tests(connection: sqlite3.Connection, run_key: int, most: int, tests: list[str]) -> int:
    """Deletes rows about tests and tests that no run has any more, whose ids go to ``tests``; what it cost."""
    runs = int(connection.execute(_SQL["count_runs"]).fetchone()[0])
    cost = 1 + runs // _LOOKUPS
    for query in _WITH_TESTS:
        keys = {row[0] for row in connection.execute(_SQL[query], (run_key, 1 + most // cost)).fetchall()}
        if keys:
            wanted = msgspec.json.encode(sorted(keys)).decode()
            tests += [row[0] for row in connection.execute(_SQL["sweep_tests"], (wanted,)).fetchall()]
            return len(keys) * cost
    return 0


def _first_not_zero(connection: sqlite3.Connection, queries: Sequence[str], key: int, most: int) -> int:
    for query in queries:
        count = connection.execute(_SQL[query], (key, most)).rowcount
        if count:
            return count
    return 0


def _give_pages_back(connection: sqlite3.Connection) -> bool:
    """Shortens the file by some of its free pages, if it is one that can be; whether there are more."""
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
    return bool(connection.execute("PRAGMA freelist_count").fetchone()[0])

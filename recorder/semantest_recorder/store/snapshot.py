"""What a pytest that chooses or orders its tests goes by: ``test-snapshot.json`` in the ``.semantest`` folder.

Its form: ``pytest_semantest/protocol/snapshot.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from pytest_semantest.protocol.snapshot import LETTERS, PASSED, VERDICTS, VERSION
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.snapshot_runs import RunsThatCount
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

#: A test's duration is the median of so many.
DURATIONS = 5
_SQL = statements("snapshot.sql")


class _Test(msgspec.Struct, gc=False):
    """One test, its newest runs first. ``kept``: how many durations are those of passes."""

    letters: str = ""
    durations: tuple[float, ...] = ()
    fixtures: tuple[float, ...] = ()
    fingerprint: str | None = None
    kept: int = 0

    def see(self, letter: str, duration: float, fixtures: float | None, fingerprint: str | None) -> None:
        """The next older run."""
        if len(self.letters) < VERDICTS:
            self.letters += letter
        if self.fingerprint is None:
            self.fingerprint = fingerprint
        passed = letter == PASSED
        if passed and self.kept == 0:
            self.durations = self.fixtures = ()  # until now there were only those of failures and skips
        if (passed or self.kept == 0) and len(self.durations) < DURATIONS:
            self.durations += (duration,)
            self.kept += passed
            if fixtures is not None:
                self.fixtures += (fixtures,)


def write_snapshot(database: Path, target: Path) -> None:
    """Replaces ``target`` atomically by the snapshot of ``database``.

    Raises ``OSError`` when it cannot be written and what ``Reader`` raises when the database cannot be read.
    """
    write_whole(target, msgspec.json.encode(read_snapshot(database)))


def read_snapshot(database: Path) -> dict[str, Any]:
    """The content of ``test-snapshot.json``."""
    with closing(connect_read_only(database)) as connection:
        tests: dict[int, _Test] = {}
        runs, number, until = RunsThatCount(), 0, 0.0
        for run_key, planned, since in connection.execute(_SQL["closed_runs"]).fetchall():
            if not runs.counts(planned):
                continue
            number, until = number + 1, max(until, since)
            runs.take(_see_run(connection, run_key, tests, with_fixtures=number <= DURATIONS))
        names = connection.execute(_SQL["test_ids"], (msgspec.json.encode(list(tests)).decode(),)).fetchall()
    rows = {test_id: _row(tests[test_key]) for test_key, test_id in names}
    return {"version": VERSION, "runs": number, "untilMs": until, "tests": rows}


def _see_run(connection: sqlite3.Connection, run_key: int, tests: dict[int, _Test], *, with_fixtures: bool) -> int:
    """Adds a run to what is known; how many tests it had a verdict on. Fixtures are read of the newest runs only."""
    fixtures = dict(connection.execute(_SQL["fixtures"], (run_key,)).fetchall()) if with_fixtures else {}
    found = connection.execute(_SQL["verdicts"], (run_key,)).fetchall()
    for test_key, state, duration, fingerprint in found:
        test = tests.get(test_key)
        if test is None:
            test = tests[test_key] = _Test()
        test.see(LETTERS[state], duration, fixtures.get(test_key), fingerprint)
    return len(found)


def _row(test: _Test) -> Sequence[object]:
    fixtures = round(median(test.fixtures), 3) if test.fixtures else None
    return round(median(test.durations), 3), fixtures, test.letters, test.fingerprint

"""What a pytest that chooses or orders its tests goes by: ``test-snapshot.json`` in the ``.semantest`` folder.

Its form: ``pytest_semantest/protocol/snapshot.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from pytest_semantest.protocol.snapshot import LETTERS, PASSED, VERDICTS, VERSION
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.snapshot_runs import RunsThatCount
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

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


class Basis(NamedTuple):
    """What a snapshot is made from: ``runs`` that are closed, when the last of them ended and came.

    ``aliases``: how many there are, removed ones included, and when the last was said; ``None`` without any.
    """

    runs: int
    ended_ms: float | None
    newest: int | None
    aliases: str | None


def read_basis(database: Path) -> Basis:
    """By what a snapshot can be told to be current. Raises what ``Reader`` raises, and ``sqlite3.Error``."""
    with closing(connect_read_only(database)) as connection:
        return Basis(*connection.execute(_SQL["basis"]).fetchone())


def write_snapshot(database: Path, target: Path) -> None:
    """Replaces ``target`` atomically by the snapshot of ``database``.

    Raises ``OSError`` when it cannot be written and what ``Reader`` raises when the database cannot be read.
    """
    write_whole(target, msgspec.json.encode(read_snapshot(database)))


def read_snapshot(database: Path) -> dict[str, Any]:
    """The content of ``test-snapshot.json``."""
    identity = read_identity(database)
    with closing(connect_read_only(database)) as connection:
        tests: dict[int, _Test] = {}
        lives = _Lives(identity, connection)
        runs, number, until = RunsThatCount(), 0, 0.0
        for run_key, planned, since in connection.execute(_SQL["closed_runs"]).fetchall():
            if not runs.counts(planned):
                continue
            number, until = number + 1, max(until, since)
            runs.take(_see_run(connection, run_key, tests, lives, with_fixtures=number <= DURATIONS))
        names = connection.execute(_SQL["test_ids"], (msgspec.json.encode(list(tests)).decode(),)).fetchall()
    rows = {test_id: _row(tests[test_key]) for test_key, test_id in names}
    rows |= {test_id: _row(test) for test_id, test in lives.tests.items()}
    return {"version": VERSION, "runs": number, "untilMs": until, "tests": rows}


def _see_run(
    connection: sqlite3.Connection, run_key: int, tests: dict[int, _Test], lives: _Lives, *, with_fixtures: bool
) -> int:
    """Adds a run to what is known; how many tests it had a verdict on. Fixtures are read of the newest runs only."""
    fixtures = dict(connection.execute(_SQL["fixtures"], (run_key,)).fetchall()) if with_fixtures else {}
    found = connection.execute(_SQL["verdicts"], (run_key,)).fetchall()
    for test_key, state, duration, fingerprint in found:
        test = tests.get(test_key)
        if test is None:
            test = tests[test_key] = _Test()
        test.see(LETTERS[state], duration, fixtures.get(test_key), fingerprint)
    lives.see_run(found, fixtures)
    return len(found)


class _Lives:
    """Tests that had other names before: what all names tell goes to the present id, also where no run has that yet.

    An earlier name keeps what it tells itself: on another branch it is the present one.
    """

    def __init__(self, identity: Identity, connection: sqlite3.Connection) -> None:
        #: By present ids.
        self.tests: dict[str, _Test] = {}
        #: By the keys of all names of such a test its present id, and how near to that the name is.
        self._names: dict[int, tuple[str, int]] = {}
        if identity.is_plain:
            return
        keys = {test_id: test_key for test_key, test_id in connection.execute(_SQL["all_test_ids"])}
        for present, names in identity.groups(keys).items():
            if names != [present]:
                nearest = [name for name in identity.ids_of(present) if name in keys]
                self._names |= {keys[name]: (present, place) for place, name in enumerate(nearest)}

    def see_run(self, found: Sequence[tuple[int, str, float, str | None]], fixtures: Mapping[int, float]) -> None:
        """The next older run; where it has two names of a test the nearer one counts."""
        if not self._names:
            return
        nearest: dict[str, tuple[int, int]] = {}
        for row, (test_key, *_told) in enumerate(found):
            if test_key in self._names:
                present, place = self._names[test_key]
                nearest[present] = min(nearest.get(present, (place, row)), (place, row))
        for present, (_place, row) in nearest.items():
            test_key, state, duration, fingerprint = found[row]
            life = self.tests.setdefault(present, _Test())
            life.see(LETTERS[state], duration, fixtures.get(test_key), fingerprint)


def _row(test: _Test) -> Sequence[object]:
    fixtures = round(median(test.fixtures), 3) if test.fixtures else None
    return round(median(test.durations), 3), fixtures, test.letters, test.fingerprint

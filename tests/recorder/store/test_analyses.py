"""What the analyses read, by short ways, against all rows of the same database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from semantest_recorder.core.analysis.durations import Rank, Sample, durations_of
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_durations import slowest_tests
from semantest_recorder.store.analysis_flaky import flaky_tests
from semantest_recorder.store.analysis_trend import run_numbers
from semantest_recorder.store.analysis_window import closed_runs, window
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.run_counts import states_by_id
from tests.histories.database import build
from tests.histories.suite import Suite
from tests.recorder.cli.suite_runs import FAILED, PASSED, SKIPPED, record_run

ENDED = ("passed", "failed", "error", "xfailed", "xpassed", "timeout")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite with flaky, renamed, new and deleted tests."""
    path = tmp_path_factory.mktemp("analyses") / "semantest.db"
    build(path, Suite(20, 80, seed=4))
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_read_only(database)) as connection:
        yield connection


@pytest.fixture
def runs(connection: sqlite3.Connection) -> list[WindowRun]:
    return window(connection)


@pytest.fixture
def identity(database: Path) -> Identity:
    return read_identity(database)


@pytest.mark.parametrize("rank", get_args(Rank))
def test_the_slowest_are_those_of_all_attempts(
    connection: sqlite3.Connection, runs: list[WindowRun], identity: Identity, rank: Rank
) -> None:
    places = {run.id: place for place, run in enumerate(runs)}
    samples: dict[str, list[Sample]] = {}
    query = "SELECT test, run, duration_ms, outcome FROM v_attempts ORDER BY test, run"
    for test, run, ms, outcome in connection.execute(query).fetchall():
        if outcome in ENDED and ms is not None:
            samples.setdefault(identity.current(test), []).append(Sample(places[run], ms))
    expected = sorted((durations_of(of).ranked_by(rank) for of in samples.values()), reverse=True)
    for most in (1, 3, 15, 1000):  # of one run those that took longest are enough, except for the last
        found = slowest_tests(connection, runs, rank, None, most, identity)
        assert [slow.durations.ranked_by(rank) for slow in found.found] == pytest.approx(expected[:most])
        assert all(sorted(slow.samples) == sorted(samples[slow.id]) for slow in found.found)
        assert found.total == len(samples)
        assert found.total_ms == pytest.approx(sum(one.ms for of in samples.values() for one in of))


def test_numbers_of_runs_are_those_of_their_results(
    connection: sqlite3.Connection, runs: list[WindowRun], identity: Identity
) -> None:
    states: dict[str, Counter[str]] = {run.id: Counter() for run in runs}
    added, seen = Counter[str](), set[str]()
    query = "SELECT x.run, x.test, x.state FROM v_results x JOIN v_runs r USING (run) ORDER BY r.since_ms"
    for run, test, state in connection.execute(query).fetchall():
        states[run][state] += 1
        added[run] += identity.current(test) not in seen
        seen.add(identity.current(test))
    numbers = run_numbers(connection, runs, closed_runs(connection, None), identity)
    assert [one.states for one in numbers] == [states[run.id] for run in runs]
    assert [one.added for one in numbers] == [None, *(added[run.id] for run in runs[1:])]
    assert sum(added.values()) > added[runs[0].id], "some tests are new later"
    assert states_by_id(connection, ["unknown", *states]) == states


def test_a_run_of_which_a_fifth_failed_is_broken_as_a_whole(tmp_path: Path) -> None:
    for number, passed in enumerate((40, 41)):
        bad = {f"a.py::test_{test}": FAILED for test in range(10)}
        good = {f"b.py::test_{test}": PASSED for test in range(passed)}
        skipped = {f"c.py::test_{test}": SKIPPED for test in range(20)}
        record_run(tmp_path, number, skipped | bad | good, commit="c0ffee")
    with closing(connect_read_only(tmp_path / "semantest.db")) as connection:
        assert flaky_tests(connection, window(connection), Identity()).broken == [0]

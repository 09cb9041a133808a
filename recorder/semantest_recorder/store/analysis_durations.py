"""How long the tests of some runs took."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from semantest_recorder.core.analysis.durations import (
    Durations,
    Rank,
    Sample,
    Sum,
    durations_of,
    slowest,
    slowest_above,
    summed,
)
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list, test_ids
from semantest_recorder.store.queries import statements

Phase = Literal["setup", "call", "teardown"]

_SQL = statements("analysis_durations.sql")
_COLUMNS: Final[dict[Phase | None, str]] = {
    None: "duration_ms",
    "setup": "setup_ms",
    "call": "call_ms",
    "teardown": "teardown_ms",
}
#: Of the tests that took longest in one run so many times those that are wanted are looked at, if no more are wanted.
_LONG_ONES: Final = 4
_MOST_ABOVE: Final = 1000


class Slow(NamedTuple):
    """A test, file or suite; places of its samples are those of the runs."""

    id: str
    samples: Sequence[Sample]
    durations: Durations


class Slowest(NamedTuple):
    """The slowest of ``total``, which together took ``total_ms`` milliseconds."""

    found: list[Slow]
    total: int
    total_ms: float


def slowest_tests(
    connection: sqlite3.Connection,
    runs: Sequence[WindowRun],
    rank: Rank,
    phase: Phase | None,
    most: int,
    identity: Identity,
) -> Slowest:
    """The ``most`` slowest tests of ``runs``, under the ids that they have at present.

    A test has as many samples as attempts that ended.
    """
    tests = _Tests(connection, runs, _COLUMNS[phase])
    found = None if rank == "total" else _slowest_above(tests, rank, most, identity)
    return found or _slowest_of_all(tests, rank, most, identity)


class _Tests:
    """Times of the tests of some runs in one column, by names under each of which a test has several keys."""

    def __init__(self, connection: sqlite3.Connection, runs: Sequence[WindowRun], column: str) -> None:
        self.runs = runs
        self.places = {run.key: place for place, run in enumerate(runs)}
        self.connection, self._column = connection, column
        self._keys = key_list(reversed(self.places))  # the newest first: most tests are in that one

    def lives(self, ids: Mapping[int, str], identity: Identity) -> dict[str, list[int]]:
        """The keys of each test, by its present id; ``ids``: by the keys."""
        keys = {test_id: test_key for test_key, test_id in ids.items()}
        return {name: [keys[test_id] for test_id in life] for name, life in identity.groups(keys).items()}

    def samples(self, lives: Mapping[str, Sequence[int]]) -> dict[str, list[Sample]]:
        """The samples of the tests that have these keys."""
        owner = {test_key: name for name, life in lives.items() for test_key in life}
        samples: dict[str, list[Sample]] = defaultdict(list)
        for test_key, run_key, ms in self.rows("samples", key_list(owner)):
            samples[owner[test_key]].append(Sample(self.places[run_key], ms))
        return samples

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What a query about all of the runs gives."""
        return _rows(self.connection, query, self._column, self._keys, *arguments)

    def long_time(self, place: int) -> float | None:
        """The time at this place, from 0, among the longest ones of the last run that has so many."""
        for run in reversed(self.runs):
            rows = _rows(self.connection, "long_time", self._column, run.key, place)
            if rows:
                return float(rows[0][0])
        return None


def _slowest_above(tests: _Tests, rank: Rank, most: int, identity: Identity) -> Slowest | None:
    """The slowest by a percentile, by reading those only that took long once; ``None`` when these are not enough."""
    floor = tests.long_time(_LONG_ONES * most) if most <= _MOST_ABOVE else None
    if floor is None:
        return None
    rows = tests.rows("long_ones", floor)
    long_ones = {int(key) for _, keys in rows if keys for key in keys.split(",")}
    lives = tests.lives(dict(tests.rows("tests")), identity)
    above = {name: life for name, life in lives.items() if not long_ones.isdisjoint(life)}
    if len(above) > len(lives) / 2:
        return None
    found = slowest_above(floor, rank, most, tests.samples(above))
    if found is None:
        return None
    return Slowest([Slow(*slow) for slow in found], len(lives), sum(total for total, _ in rows))


def _slowest_of_all(tests: _Tests, rank: Rank, most: int, identity: Identity) -> Slowest:
    """The slowest by the sums of all tests."""
    known = {test_key: Sum(*numbers) for test_key, *numbers in tests.rows("sums")}
    lives = tests.lives(test_ids(tests.connection, known), identity)
    sums = {name: summed([known[test_key] for test_key in life]) for name, life in lives.items()}
    found = slowest(sums, rank, most, lambda names: tests.samples({name: lives[name] for name in names}))
    return Slowest([Slow(*slow) for slow in found], len(sums), sum(one.total for one in sums.values()))


def slowest_groups(
    connection: sqlite3.Connection,
    runs: Sequence[WindowRun],
    rank: Rank,
    phase: Phase | None,
    most: int,
    group_of: Callable[[str], str],
) -> Slowest:
    """The same of groups of tests, with a sample for each run; ``group_of`` gives the group of a suite's id."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for place, run in enumerate(runs):
        summed: dict[str, float] = defaultdict(float)
        for suite, ms in _rows(connection, "suites", _COLUMNS[phase], run.key):
            summed[group_of(suite)] += ms
        for group, ms in summed.items():
            samples[group].append(Sample(place, ms))
    found = [Slow(group, of_group, durations_of(of_group)) for group, of_group in samples.items()]
    found.sort(key=lambda slow: (-slow.durations.ranked_by(rank), slow.id))
    return Slowest(found[:most], len(found), sum(slow.durations.total for slow in found))


def _rows(connection: sqlite3.Connection, query: str, column: str, *arguments: object) -> list[tuple[Any, ...]]:
    return connection.execute(_SQL[query].format(ms=column), arguments).fetchall()

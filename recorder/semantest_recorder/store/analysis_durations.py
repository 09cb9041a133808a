"""How long the tests of some runs took."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from semantest_recorder.core.analysis.durations import Durations, Rank, Sample, Sum, durations_of, slowest, summed
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
    places = {run.key: place for place, run in enumerate(runs)}
    run_keys, column = key_list(places), _COLUMNS[phase]
    known = {test_key: Sum(*numbers) for test_key, *numbers in _rows(connection, "sums", column, run_keys)}
    keys = {test_id: test_key for test_key, test_id in test_ids(connection, known).items()}
    lives = {name: [keys[test_id] for test_id in ids] for name, ids in identity.groups(keys).items()}

    def samples_of(names: Sequence[str]) -> Mapping[str, Sequence[Sample]]:
        owner = {test_key: name for name in names for test_key in lives[name]}
        samples: dict[str, list[Sample]] = defaultdict(list)
        for test_key, run_key, ms in _rows(connection, "samples", column, run_keys, key_list(owner)):
            samples[owner[test_key]].append(Sample(places[run_key], ms))
        return samples

    sums = {name: summed([known[test_key] for test_key in life]) for name, life in lives.items()}
    found = [Slow(*slow) for slow in slowest(sums, rank, most, samples_of)]
    return Slowest(found, len(sums), sum(one.total for one in sums.values()))


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

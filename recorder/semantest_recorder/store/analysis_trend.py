"""What became of the tests of each run, in numbers."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence

from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.trend import RunNumbers
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list
from semantest_recorder.store.queries import statements
from semantest_recorder.store.run_counts import states_of_runs

_SQL = statements("analysis_trend.sql")


def run_numbers(
    connection: sqlite3.Connection, runs: Sequence[WindowRun], known: Sequence[int], identity: Identity
) -> list[RunNumbers]:
    """The numbers of ``runs``, the oldest first.

    ``known``: the keys of all runs in which a test may have been before, those of ``runs`` among them, the oldest
    first. What was new in the first of them nobody knows. A test that was renamed is not new.
    """
    added = _added(connection, known, identity)
    places = {key: place for place, key in enumerate(known)}
    states = states_of_runs(connection, [run.key for run in runs])
    return [RunNumbers(run, states[run.key], added[places[run.key]] if places.get(run.key) else None) for run in runs]


def _added(connection: sqlite3.Connection, known: Sequence[int], identity: Identity) -> Counter[int]:
    """How many tests are first in the run at each place."""
    ids = dict(connection.execute(_SQL["all_tests"]).fetchall())
    first = _first_places(connection, known, ids)
    keys = {ids[test_key]: test_key for test_key in first}
    return Counter(min(first[keys[test_id]] for test_id in life) for life in identity.groups(keys).values())


def _first_places(connection: sqlite3.Connection, known: Sequence[int], tests: Collection[int]) -> dict[int, int]:
    """The place of the first run of each test that has any. Once most are found, only the others are looked for."""
    unseen, first = set(tests), dict[int, int]()
    for place, run_key in enumerate(known):
        if 2 * len(unseen) > len(tests):
            rows = connection.execute(_SQL["tests"], (run_key,))
        else:
            rows = connection.execute(_SQL["tests_among"], (run_key, key_list(unseen)))
        found = unseen.intersection(test_key for (test_key,) in rows)
        first.update(dict.fromkeys(found, place))
        unseen -= found
    return first

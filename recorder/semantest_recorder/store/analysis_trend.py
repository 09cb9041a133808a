"""What became of the tests of each run, in numbers."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.trend import RunNumbers
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list, test_ids
from semantest_recorder.store.queries import statements

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
    return [
        RunNumbers(
            run,
            dict(connection.execute(_SQL["states"], (run.key,)).fetchall()),
            added[places[run.key]] if places.get(run.key) else None,
        )
        for run in runs
    ]


def _added(connection: sqlite3.Connection, known: Sequence[int], identity: Identity) -> Counter[int]:
    """How many tests are first in the run at each place."""
    first = dict(connection.execute(_SQL["first_runs"], (key_list(known),)).fetchall())
    keys = {test_id: test_key for test_key, test_id in test_ids(connection, first).items()}
    return Counter(min(first[keys[test_id]] for test_id in life) for life in identity.groups(keys).values())

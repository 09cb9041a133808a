"""What became of the tests of each run, in numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from semantest_recorder.core.analysis.trend import RunNumbers
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list
from semantest_recorder.store.queries import statements

_SQL = statements("analysis_trend.sql")


def run_numbers(connection: sqlite3.Connection, runs: Sequence[WindowRun], known: Sequence[int]) -> list[RunNumbers]:
    """The numbers of ``runs``, the oldest first.

    ``known``: the keys of all runs in which a test may have been before, those of ``runs`` among them, the oldest
    first. What was new in the first of them nobody knows.
    """
    added = dict(connection.execute(_SQL["first_runs"], (key_list(known),)).fetchall())
    places = {key: place for place, key in enumerate(known)}
    return [
        RunNumbers(
            run,
            dict(connection.execute(_SQL["states"], (run.key,)).fetchall()),
            added.get(places[run.key], 0) if places.get(run.key) else None,
        )
        for run in runs
    ]

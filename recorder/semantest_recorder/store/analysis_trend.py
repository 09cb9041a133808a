"""What became of the tests of each run, in numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from semantest_recorder.core.analysis.trend import RunNumbers
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list
from semantest_recorder.store.queries import statements

_SQL = statements("analysis_trend.sql")


def run_numbers(
    connection: sqlite3.Connection, runs: Sequence[WindowRun], known: Sequence[WindowRun]
) -> list[RunNumbers]:
    """The numbers of ``runs``; both come the oldest first.

    ``known`` are all runs in which a test may have been before, ``runs`` among them. What was new in the first of them
    nobody knows.
    """
    added = dict(connection.execute(_SQL["first_runs"], (key_list(run.key for run in known),)))
    places = {run.key: place for place, run in enumerate(known)}
    return [
        RunNumbers(
            run,
            dict(connection.execute(_SQL["states"], (run.key,)).fetchall()),
            added.get(places[run.key], 0) if places.get(run.key) else None,
        )
        for run in runs
    ]

"""How many tests of runs are in each state."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping

from semantest_recorder.store.analysis_window import key_list
from semantest_recorder.store.queries import statements

_SQL = statements("run_counts.sql")


def states_of_runs(connection: sqlite3.Connection, runs: Iterable[int]) -> dict[int, Mapping[str, int]]:
    """``{state: number of tests}`` by the keys of ``runs``; a state without tests is left out."""
    found: dict[int, Mapping[str, int]] = {run_key: {} for run_key in runs}
    for run_key, tests, others in connection.execute(_SQL["states"], (key_list(found),)):
        states = Counter(others.split(",") if others else ())
        passed = tests - states.total()
        found[run_key] = {"passed": passed, **states} if passed else states
    return found


def states_by_id(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, Mapping[str, int]]:
    """The same by the ids of runs, as far as there are such."""
    ids: dict[int, str] = dict(connection.execute(_SQL["keys"], (key_list(run_ids),)).fetchall())
    return {ids[run_key]: states for run_key, states in states_of_runs(connection, ids).items()}

"""How many tests of runs are in each state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from semantest_recorder.store.analysis_window import key_list
from semantest_recorder.store.queries import statements

_SQL = statements("run_counts.sql")


def states_of_runs(connection: sqlite3.Connection, runs: Iterable[int]) -> dict[int, Mapping[str, int]]:
    """``{state: number of tests}`` by the keys of ``runs``; a state without tests is left out.

    All results are gone through only of runs with tests that have no final state yet.
    """
    found: dict[int, dict[str, int]] = {run_key: {} for run_key in runs}
    done: dict[int, int] = {}
    unfinished = []
    for run_key, state, number, finished in connection.execute(_SQL["states"], (key_list(found),)):
        if state is not None:
            found[run_key][state] = number
        elif number == finished:
            done[run_key] = finished
        else:
            unfinished.append(run_key)
    for run_key, finished in done.items():
        others = found[run_key]
        if passed := finished - sum(others.values()):
            found[run_key] = {"passed": passed, **others}
    found |= _all_states(connection, unfinished)
    return dict(found)


def states_by_id(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, Mapping[str, int]]:
    """The same by the ids of runs, as far as there are such."""
    ids: dict[int, str] = dict(connection.execute(_SQL["keys"], (key_list(run_ids),)).fetchall())
    return {ids[run_key]: states for run_key, states in states_of_runs(connection, ids).items()}


def _all_states(connection: sqlite3.Connection, runs: list[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {run_key: {} for run_key in runs}
    if runs:
        for run_key, state, number in connection.execute(_SQL["all_states"], (key_list(runs),)):
            found[run_key][state] = number
    return found

"""What the next session should know of its tests: ``history.json`` in the ``.semantest`` folder.

::

    {"version": 1,
     "flaky": {testId: {"flaky": runs in which it was flaky, "runs": runs in which it ran, "p95": ms}},
     "durations": {testId: median ms of the last 5 runs in which it passed}}

``flaky`` holds only tests that were flaky in one of the last 50 runs.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.store.queries import statements
from semantest_recorder.store.reader import connect_read_only

VERSION = 1
RUNS = 50
PASSES = 5
_SQL = statements("history.sql")


def write_history(database: Path, target: Path) -> None:
    """Replaces ``target`` atomically by the history of ``database``.

    Raises ``OSError`` when it cannot be written and what ``Reader`` raises when the database cannot be read.
    """
    write_whole(target, msgspec.json.encode(read_history(database)))


def read_history(database: Path) -> dict[str, Any]:
    """The content of ``history.json``, out of the last 50 runs that are closed."""
    with closing(connect_read_only(database)) as connection:
        runs = [row[0] for row in connection.execute(_SQL["recent_runs"], (RUNS,)).fetchall()]
        keys = [row[0] for row in connection.execute(_SQL["flaky_tests"], (_list(runs),)).fetchall()]
        rows = connection.execute(_SQL["flaky_results"], (_list(keys), _list(runs))).fetchall()
        return {"version": VERSION, "flaky": flaky_tests(rows), "durations": _durations(connection, runs)}


def flaky_tests(results: Iterable[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """``{test: {flaky, runs, p95}}`` of ``(test, state, duration in ms)`` of every run of the tests."""
    durations: dict[str, list[float]] = defaultdict(list)
    flaky: dict[str, int] = defaultdict(int)
    for test_id, state, duration in results:
        durations[test_id].append(duration)
        flaky[test_id] += state == "flaky"
    return {
        test_id: {"flaky": flaky[test_id], "runs": len(found), "p95": round(percentile_95(found), 3)}
        for test_id, found in durations.items()
    }


def percentile_95(durations: Sequence[float]) -> float:
    """The duration that 95 % of these, at least one, do not exceed."""
    return sorted(durations)[ceil(0.95 * len(durations)) - 1]


def _durations(connection: sqlite3.Connection, runs: Sequence[int]) -> dict[str, float]:
    """The median of the last passes of each test; newest runs are looked at first, and only as many as it takes."""
    passes: dict[int, list[float]] = defaultdict(list)
    for number, run_key in enumerate(runs, 1):
        for test_key, duration in connection.execute(_SQL["passed"], (run_key,)):
            found = passes[test_key]
            if len(found) < PASSES:
                found.append(duration)
        if number >= PASSES and all(len(found) == PASSES for found in passes.values()):
            break
    names = connection.execute(_SQL["test_ids"], (_list(list(passes)),))
    return {test_id: round(median(passes[test_key]), 3) for test_key, test_id in names}


def _list(values: Sequence[int]) -> str:
    return msgspec.json.encode(values).decode()

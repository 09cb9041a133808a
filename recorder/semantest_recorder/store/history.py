"""What the next session should know of its tests: ``history.json`` in the ``.semantest`` folder.

::

    {"version": 1,
     "flaky": {testId: {"flaky": runs in which it was flaky, "runs": runs that judge it, "p95": ms}},
     "durations": {testId: median ms of the last 5 runs in which it passed},
     "quarantined": {testId: {"runs": its last runs in quarantine, at most 20, "passed": those in which it passed}}}

``flaky`` holds only tests that were flaky in one of the last 50 runs, as ``core/analysis/flakiness.py`` defines it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.core.analysis.durations import percentile_95
from semantest_recorder.core.analysis.flakiness import Flakiness
from semantest_recorder.store.analysis_flaky import flaky_tests
from semantest_recorder.store.analysis_window import test_ids, window
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

VERSION = 1
RUNS = 50
PASSES = 5
#: Of those in quarantine, for which skips say nothing.
QUARANTINED_RUNS = 20
_SQL = statements("history.sql")


def write_history(database: Path, target: Path) -> None:
    """Replaces ``target`` atomically by the history of ``database``.

    Raises ``OSError`` when it cannot be written and what ``Reader`` raises when the database cannot be read.
    """
    write_whole(target, msgspec.json.encode(read_history(database)))


def read_history(database: Path) -> dict[str, Any]:
    """The content of ``history.json``, out of the last 50 runs that are closed."""
    with closing(connect_read_only(database)) as connection:
        runs = window(connection, most=RUNS)
        flaky = flaky_tests(connection, runs, read_identity(database))
        newest_first = [run.key for run in reversed(runs)]
        quarantined = connection.execute(_SQL["quarantined"], (msgspec.json.encode(newest_first).decode(),)).fetchall()
        return {
            "version": VERSION,
            "flaky": {name: _flaky(found, flaky.durations[name]) for name, found in flaky.tests.items()},
            "durations": _durations(connection, newest_first),
            "quarantined": passes_in_quarantine(quarantined),
        }


def _flaky(found: Flakiness, durations: Sequence[float]) -> dict[str, float]:
    return {"flaky": len(found.flaky_runs), "runs": found.runs, "p95": round(percentile_95(durations), 3)}


def passes_in_quarantine(results: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """``{test: {runs, passed}}`` of ``(test, state)`` of every run in which it was in quarantine, the newest first."""
    states: dict[str, list[str]] = defaultdict(list)
    for test_id, state in results:
        if state not in ("skipped", "not_run") and len(states[test_id]) < QUARANTINED_RUNS:
            states[test_id].append(state)
    return {
        test_id: {"runs": len(found), "passed": sum(state in ("passed", "xpassed") for state in found)}
        for test_id, found in states.items()
    }


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
    names = test_ids(connection, passes)
    return {test_id: round(median(passes[test_key]), 3) for test_key, test_id in names.items()}

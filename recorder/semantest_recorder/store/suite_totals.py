"""How many tests of a run each of its suites has, in which states, and their time."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from semantest_recorder.store.queries import statements

_SQL = statements("suite_totals.sql")


class SuiteTotal(NamedTuple):
    """The tests of one suite, without those of classes in it; ``duration_ms``: of all of them one after the other."""

    suite: str
    states: dict[str, int]
    duration_ms: float


def suite_totals(connection: sqlite3.Connection, run_key: int) -> list[SuiteTotal]:
    """The suites of a run by their names. Raises ``sqlite3.Error``."""
    found: dict[str, SuiteTotal] = {}
    for suite, tests, duration_ms in connection.execute(_SQL["totals"], (run_key,)):
        found[suite] = SuiteTotal(suite, {"passed": tests}, duration_ms)
    for suite, state, tests in connection.execute(_SQL["not_passed"], (run_key,)):
        states = found[suite].states
        states[state] = tests
        states["passed"] -= tests
        if not states["passed"]:
            del states["passed"]
    return list(found.values())

"""Which tests fail without the code being the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from semantest_recorder.answers.window import Window, found_window
from semantest_recorder.core.analysis.commonest_error import commonest_error
from semantest_recorder.core.analysis.flakiness import worst_first
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.flaky_list import CommonError, ErrorOf, FlakyList, flaky_test
from semantest_recorder.reports.window import window_info
from semantest_recorder.store.analysis_flaky import errors_of, flaky_tests
from semantest_recorder.store.identity import read_identity


def flaky_list(database: Path, window: Window, *, min_runs: int = 1, limit: int | None = None) -> FlakyList:
    """The ``limit`` flakiest tests (``None``: all) of those that at least ``min_runs`` runs judged.

    Raises what ``found_window`` raises.
    """
    with found_window(database, window) as (connection, seen):
        identity = read_identity(database)
        found = flaky_tests(connection, seen, identity)
        ranked = worst_first((name, test) for name, test in found.tests.items() if test.runs >= min_runs)
        error_of = _errors(connection, identity)
        return FlakyList(
            window=window_info(seen, window.branch),
            broken_runs=[seen[place].id for place in found.broken],
            total=len(ranked),
            tests=[flaky_test(name, test, seen, error_of) for name, test in ranked[:limit]],
        )


def _errors(connection: sqlite3.Connection, identity: Identity) -> ErrorOf:
    def error_of(test_id: str, flaky_runs: Sequence[WindowRun]) -> CommonError | None:
        errors = errors_of(connection, identity.ids_of(test_id), flaky_runs)
        found = commonest_error(errors)
        return None if found is None else CommonError(*found, len(errors))

    return error_of

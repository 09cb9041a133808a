"""How long tests took when they passed, in some runs."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list, test_ids, test_keys
from semantest_recorder.store.queries import statements

_SQL = statements("analysis_passes.sql")


def passes(
    connection: sqlite3.Connection, runs: Sequence[WindowRun], identity: Identity, tests: Iterable[str] | None = None
) -> dict[str, list[float]]:
    """Milliseconds of each pass of each test, or of ``tests`` only, under the ids that tests have at present.

    Raises ``sqlite3.Error``.
    """
    of_runs = key_list(run.key for run in runs)
    if tests is None:
        rows = connection.execute(_SQL["of_all"], (of_runs,))
    else:
        keys = test_keys(connection, (name for test_id in tests for name in identity.ids_of(test_id)))
        rows = connection.execute(_SQL["of_some"], (of_runs, key_list(keys)))
    by_key: dict[int, list[float]] = defaultdict(list)
    for test_key, ms in rows:
        by_key[test_key].append(ms)
    found: dict[str, list[float]] = defaultdict(list)
    for test_key, test_id in test_ids(connection, by_key).items():
        found[identity.current(test_id)] += by_key[test_key]
    return found

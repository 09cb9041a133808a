"""The suites of a run as a tree."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.reports.suite_tree import SuiteNode, suite_tree
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.result_list import run_key_of
from semantest_recorder.store.suite_totals import suite_totals


def suites_of_run(database: Path, run_id: str) -> SuiteNode:
    """The root of the tree; a node has all that is below it. Raises ``RunNotFound`` and what ``Reader`` raises."""
    with snapshot(database) as connection:
        run_key = run_key_of(connection, run_id)
        if run_key is None:
            raise RunNotFound(run_id, [])
        found = suite_totals(connection, run_key)
    return suite_tree(found)

"""The suites of runs as trees."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.freshness import stamp_of
from semantest_recorder.answers.kept import Kept
from semantest_recorder.reports.suite_tree import SuiteNode, suite_tree
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.result_list import run_key_of
from semantest_recorder.store.suite_totals import suite_totals

#: Trees that are kept: whoever opens a level asks for the tree that was asked for a moment ago.
_KEPT = 4


class SuiteTrees:
    """Trees of the runs in this database, the last ones kept while their runs stay as they are. For several threads."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._kept = Kept[SuiteNode](_KEPT)

    def of(self, run_id: str) -> SuiteNode:
        """The root of the tree of the run with this id; nobody may change it.

        Raises ``RunNotFound`` and what ``Reader`` raises.
        """
        return self._kept.get(run_id, stamp_of(self._database, run_id), partial(self._made, run_id))

    def _made(self, run_id: str) -> SuiteNode:
        with snapshot(self._database) as connection:
            run_key = run_key_of(connection, run_id)
            if run_key is None:
                raise RunNotFound(run_id, [])
            found = suite_totals(connection, run_key)
        return suite_tree(found)

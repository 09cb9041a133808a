"""Comparisons of two runs, found once: those of large runs take their time."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.kept import Kept
from semantest_recorder.answers.run_difference import earlier_run, run_difference
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.reports.run_diff import RunDiff
from semantest_recorder.store.change_stamp import run_stamp

#: Of runs of 100,000 tests one holds a few MB.
_KEPT = 16


class KeptDifferences:
    """Comparisons in one database, found again after another event of one of their runs came. For several threads."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._kept = Kept[RunDiff](_KEPT)

    def run_before(self, name: str) -> str:
        """With which run the one called ``name`` is compared. Raises ``NoRunBefore`` and what ``Reader`` raises."""
        with stored_history(self._database) as history:
            return earlier_run(history, history.reader.run(name)).id

    def against_run_before(self, name: str) -> RunDiff:
        """What changed in the run called ``name``. Raises ``NoRunBefore`` and what ``Reader`` raises."""
        return self.between(self.run_before(name), name)

    def between(self, before: str, after: str) -> RunDiff:
        """What changed from one run to the other (id, unique beginning or ``last``). Raises what ``Reader`` raises."""
        with stored_history(self._database) as history:
            rows = history.reader.run(before), history.reader.run(after)
            key = rows[0].id, rows[1].id
            with snapshot(self._database) as connection:
                stamps = run_stamp(connection, key[0]), run_stamp(connection, key[1])
            return self._kept.get(key, stamps, lambda: run_difference(history, *rows))

"""How many tests of each run are in each state, for lists of runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.reports.report import Counts
from semantest_recorder.store.change_stamp import Stamp, stamps_of
from semantest_recorder.store.run_counts import states_by_id

#: Of how many runs the counts are kept.
_KEPT = 10_000


def run_counts(database: Path, runs: Sequence[RunRow]) -> list[Counts]:
    """The counts of ``runs``, in their order. Raises what ``connect_read_only`` raises."""
    with snapshot(database) as connection:
        return KeptCounts().of(connection, runs)


class KeptCounts:
    """Counts that are found once for each run, and again after another event of it came. For several threads.

    Counting goes through all results of a run, of which there may be 100,000.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[Stamp, Mapping[str, int]]] = {}

    def of(self, connection: sqlite3.Connection, runs: Sequence[RunRow]) -> list[Counts]:
        """The counts of ``runs``, in their order. Raises ``sqlite3.Error``."""
        numbers = self.numbers(connection, [run.id for run in runs])
        return [counts_of(numbers[run.id], closed=run.state in CLOSED_RUN_STATES) for run in runs]

    def numbers(self, connection: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, Mapping[str, int]]:
        """``{state: number}`` by run. Raises ``sqlite3.Error``."""
        stamps = stamps_of(connection, run_ids)
        with self._lock:
            known = {
                run_id: kept[1] for run_id in run_ids if (kept := self._kept.get(run_id)) and kept[0] == stamps[run_id]
            }
        missing = [run_id for run_id in run_ids if run_id not in known]
        if missing:
            found = states_by_id(connection, missing)
            known |= {run_id: found.get(run_id, {}) for run_id in missing}
            with self._lock:
                if len(self._kept) + len(missing) > _KEPT:
                    self._kept.clear()
                self._kept |= {run_id: (stamps[run_id], known[run_id]) for run_id in missing if run_id in stamps}
        return known

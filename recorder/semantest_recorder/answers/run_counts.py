"""How many tests of each run are in each state, for lists of runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.reports.report import Counts
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.run_counts import states_by_id


def run_counts(database: Path, runs: Sequence[RunRow]) -> list[Counts]:
    """The counts of ``runs``, in their order. Raises what ``connect_read_only`` raises."""
    with closing(connect_read_only(database)) as connection:
        numbers = states_by_id(connection, [run.id for run in runs])
    return [counts_of(numbers.get(run.id, {}), closed=run.state in CLOSED_RUN_STATES) for run in runs]

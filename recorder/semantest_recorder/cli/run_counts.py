"""How many tests of each run are in each state, for lists of runs; over the public view, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES, counts_of
from semantest_recorder.reports.report import Counts
from semantest_recorder.store.reader import connect_read_only


def run_counts(database: Path, runs: Sequence[RunRow]) -> list[Counts]:
    """The counts of ``runs``, in their order. Raises what ``connect_read_only`` raises."""
    query = (
        "SELECT run, state, count(*) FROM v_results WHERE run IN (SELECT value FROM json_each(?)) GROUP BY run, state"
    )
    with closing(connect_read_only(database)) as connection:
        rows = connection.execute(query, [msgspec.json.encode([run.id for run in runs]).decode()]).fetchall()
    numbers: dict[str, dict[str, int]] = {run.id: {} for run in runs}
    for run_id, state, number in rows:
        numbers[run_id][state] = number
    return [counts_of(numbers[run.id], closed=run.state in CLOSED_RUN_STATES) for run in runs]

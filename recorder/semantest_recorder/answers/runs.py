"""Runs for lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantest_recorder.answers.run_counts import run_counts
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.run_list import RunSummary, run_summary
from semantest_recorder.store.reader import Reader


def run_summaries(database: Path, rows: Sequence[RunRow]) -> list[RunSummary]:
    """The runs with their counts, in the order of ``rows``. Raises what ``connect_read_only`` raises."""
    counts = run_counts(database, rows) if rows else []
    return [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]


def newest_runs(database: Path, most: int) -> list[RunSummary]:
    """The runs that started last, newest first. Raises what ``Reader`` raises."""
    return run_summaries(database, Reader(database).runs(most))


def one_run(database: Path, name: str) -> RunSummary:
    """The run with this id, with the only id that starts so, or ``last``. Raises what ``Reader.run`` raises."""
    return run_summaries(database, [Reader(database).run(name)])[0]

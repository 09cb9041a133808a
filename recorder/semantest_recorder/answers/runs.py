"""Runs for lists of them, and one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.cursor import cursor_of, place_of
from semantest_recorder.answers.page_size import that_fit
from semantest_recorder.answers.run_counts import KeptCounts, run_counts
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import counts_of
from semantest_recorder.reports.run_list import RunFacts, RunPage, RunSummary, run_summary
from semantest_recorder.store.open_runs import count_open_runs
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.run_list import RunFilter, RunOrder, listed_runs

__all__ = ["RunFilter", "RunOrder", "one_run", "open_runs", "run_facts", "run_page", "run_summaries"]


def run_summaries(database: Path, rows: Sequence[RunRow]) -> list[RunSummary]:
    """The runs with their counts, in the order of ``rows``. Raises what ``connect_read_only`` raises."""
    counts = run_counts(database, rows) if rows else []
    return [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]


def one_run(database: Path, name: str) -> RunSummary:
    """The run with this id, with the only id that starts so, or ``last``. Raises what ``Reader.run`` raises."""
    return run_summaries(database, [Reader(database).run(name)])[0]


def run_page(
    database: Path,
    wanted: RunFilter,
    kept: KeptCounts,
    order: RunOrder = "-started",
    cursor: str | None = None,
    limit: int = 50,
) -> RunPage:
    """At most ``limit`` runs behind ``cursor``. Raises ``InvalidCursor`` and what ``connect_read_only`` raises."""
    after = place_of(cursor, "runs", wanted, order)
    with snapshot(database) as connection:
        found = listed_runs(connection, wanted, order, after, limit + 1)
        rows = [row for row, _place in found[:limit]]
        counts = kept.of(connection, rows)
    runs = [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]
    shown = that_fit(runs)
    return RunPage(
        runs=runs[:shown],
        next=cursor_of(found[shown - 1][1], "runs", wanted, order) if shown < len(found) else None,
    )


def run_facts(database: Path, name: str, kept: KeptCounts) -> RunFacts:
    """The run called ``name`` (id, unique beginning or ``last``). Raises what ``Reader`` raises."""
    row = Reader(database).run(name)
    with snapshot(database) as connection:
        return RunFacts(run=run_summary(row, kept.of(connection, [row])[0]))


def open_runs(database: Path) -> list[RunSummary]:
    """The runs that go on, newest first. Raises what ``Reader`` raises."""
    return [run_summary(run.row, counts_of(run.counts, closed=False)) for run in count_open_runs(database)[::-1]]

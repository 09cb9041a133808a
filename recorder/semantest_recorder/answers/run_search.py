"""Runs that people look for, and what there is to look for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.run_counts import run_counts
from semantest_recorder.reports.run_list import RunSummary, run_summary
from semantest_recorder.store.run_list import NewRun, RunFilter, listed_runs, newest_runs

__all__ = ["Lately", "NewRun", "RunFilter", "found_runs", "lately"]

#: Branches and labels of so many runs are suggested, and so many of each.
_LOOKED_AT, _SUGGESTED = 500, 100
#: So many branches are told with so many of their runs.
_BRANCHES, _OF_BRANCH = 5, 14


class Lately(NamedTuple):
    """What the newest runs are of: ``strips`` has the last runs of the branches with the newest ones, oldest first.

    ``branches`` and ``labels`` (``name=value``), those of the most runs first; ``any``: whether there is a run at all.
    """

    strips: list[tuple[str, list[NewRun]]]
    branches: list[str]
    labels: list[str]
    any: bool


def found_runs(database: Path, wanted: RunFilter, most: int) -> list[RunSummary]:
    """The newest runs that are wanted. Raises what ``connect_read_only`` raises."""
    with snapshot(database) as connection:
        rows = [row for row, _place in listed_runs(connection, wanted, "-started", None, most)]
    counts = run_counts(database, rows) if rows else []
    return [run_summary(row, count) for row, count in zip(rows, counts, strict=True)]


def lately(database: Path) -> Lately:
    """What there was of late. Raises what ``connect_read_only`` raises."""
    with snapshot(database) as connection:
        runs = newest_runs(connection, _LOOKED_AT)
    branches: dict[str, list[NewRun]] = {}
    for run in runs:
        if run.branch is not None:
            branches.setdefault(run.branch, []).append(run)
    strips = [(branch, of[:_OF_BRANCH][::-1]) for branch, of in list(branches.items())[:_BRANCHES]]
    by_size = sorted(branches, key=lambda branch: -len(branches[branch]))
    return Lately(strips, by_size[:_SUGGESTED], _commonest(runs), bool(runs))


def _commonest(runs: Iterable[NewRun]) -> list[str]:
    labels = Counter[str]()
    for run in runs:
        told = msgspec.json.decode(run.labels, type=dict[str, str])
        labels.update(f"{name}={value}" for name, value in told.items())
    return [label for label, _number in labels.most_common(_SUGGESTED)]

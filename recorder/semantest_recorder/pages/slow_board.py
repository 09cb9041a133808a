"""``/slowest``: where the time goes, and since when it is more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, cast, get_args

from semantest_recorder.answers.slowest import By, Phase, slowest_list
from semantest_recorder.core.analysis.durations import Rank
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.pages.windows import closed_runs, window_choices, window_of
from semantest_recorder.reports.slowest_list import SlowestList

_SHOWN, _MOST = 50, 1000
_COLUMNS = ("id", "times", "p50_ms", "p95_ms", "max_ms", "total_ms", "share", "changed_run", "before_ms", "after_ms")
#: Parameters of the address.
_ASKS: Final = ("window", "branch", "by", "sort", "phase", "limit")


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    stamp = closed_runs(database)
    return [Page("/slowest", "slowest.html", "slowest", *views, stamp=stamp, warmed=True, asks=_ASKS)]


def _found(database: Path, visit: Visit, shown: int) -> SlowestList:
    return slowest_list(
        database,
        window_of(visit),
        by=cast("By", visit.choice("by", get_args(By), "test")),
        sort=cast("Rank", visit.choice("sort", get_args(Rank), "p95")),
        phase=cast("Phase | None", visit.choice("phase", ("", *get_args(Phase))) or None),
        limit=visit.number("limit", shown, _MOST),
    )


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    return {"found": _found(database, visit, _SHOWN), **window_choices(database)}


def _table(database: Path, visit: Visit) -> Table:
    rows = [
        [
            *(entry.id, entry.times, entry.p50_ms, entry.p95_ms, entry.max_ms, entry.total_ms, entry.share),
            *((entry.change.run.run, entry.change.before_ms, entry.change.after_ms) if entry.change else (None,) * 3),
        ]
        for entry in _found(database, visit, _MOST).entries
    ]
    return Table("slowest", _COLUMNS, rows)

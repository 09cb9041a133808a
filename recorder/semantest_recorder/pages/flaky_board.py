"""``/flaky``: the tests that fail without the code being the reason, the flakiest first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.flaky import flaky_list
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.pages.windows import closed_runs, window_choices, window_of
from semantest_recorder.reports.flaky_list import FlakyList

_SHOWN, _MOST = 50, 1000
_COLUMNS = (
    *(
        "test",
        "rate",
        "low",
        "high",
        "runs",
        "flaky_runs",
        "retried",
        "contradicted",
        "retries",
        "status",
        "quiet_runs",
    ),
    *("first_run", "last_run", "error"),
)
#: Parameters of the address.
_ASKS: Final = ("window", "branch", "min_runs", "limit")


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    stamp = closed_runs(database)
    return [Page("/flaky", "flaky.html", "flaky", *views, stamp=stamp, warmed=True, asks=_ASKS)]


def _found(database: Path, visit: Visit, shown: int) -> FlakyList:
    least = visit.number("min_runs", 1, 10_000)
    return flaky_list(database, window_of(visit), min_runs=least, limit=visit.number("limit", shown, _MOST))


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    return {"found": _found(database, visit, _SHOWN), **window_choices(database)}


def _table(database: Path, visit: Visit) -> Table:
    rows = [
        [
            *(test.id, test.rate, test.low, test.high, test.runs, test.flaky_runs, test.retried, test.contradicted),
            *(test.retries, test.status, test.quiet_runs, test.first.run, test.last.run),
            test.error.message if test.error is not None else None,
        ]
        for test in _found(database, visit, _MOST).tests
    ]
    return Table("flaky", _COLUMNS, rows)

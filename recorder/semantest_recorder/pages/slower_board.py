"""``/slower``: the tests that take longer than they did, or less."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.errors import NoEarlierRun, NoRunInTime
from semantest_recorder.answers.slower import USUAL_SINCE, is_age, slower_tests
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.pages.windows import closed_runs, window_choices
from semantest_recorder.reports.slower_list import SlowerList, method_words

_SHOWN, _MOST = 50, 1000
_COLUMNS = ("test", "before_ms", "now_ms", "passes_before", "passes_now", "score", "p")
#: What the field offers; an address may name any age, or a run.
SINCE: Final = {"1d": "A day ago", "7d": "A week ago", "30d": "30 days ago", "90d": "90 days ago"}


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    stamp = closed_runs(database, USUAL_SINCE)
    asks = ("since", "branch", "limit")
    return [Page("/slower", "slower.html", "slower", *views, stamp=stamp, asks=asks, warmed=True)]


def _found(database: Path, visit: Visit, shown: int) -> SlowerList:
    since, branch = visit.asked("since") or USUAL_SINCE, visit.asked("branch") or None
    return slower_tests(database, since, time.time() * 1000, branch, visit.number("limit", shown, _MOST))


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    since = visit.asked("since") or USUAL_SINCE
    offered = SINCE if since in SINCE else {**SINCE, since: f"{since} ago" if is_age(since) else f"The run {since}"}
    told = {"offered": offered, "usual": USUAL_SINCE, **window_choices(database)}
    try:
        found = _found(database, visit, _SHOWN)
    except (NoEarlierRun, NoRunInTime) as error:
        return {**told, "found": None, "why": str(error)}
    return {**told, "found": found, "why": method_words(found)}


def _table(database: Path, visit: Visit) -> Table:
    found = _found(database, visit, _MOST)
    rows: list[list[Cell]] = [
        [test.id, test.before_ms, test.now_ms, test.passes_before, test.passes_now, test.score, test.p]
        for test in (*found.slower, *found.faster)
    ]
    return Table("slower", _COLUMNS, rows)

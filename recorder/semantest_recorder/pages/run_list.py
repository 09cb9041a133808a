"""``/runs``: what was recorded, newest first, and what still runs before it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.cursor import InvalidCursor
from semantest_recorder.answers.run_counts import KeptCounts
from semantest_recorder.answers.run_search import RunFilter, found_runs, lately
from semantest_recorder.answers.runs import run_page
from semantest_recorder.pages.page import POLL, Misunderstood, Page, Visit, polled
from semantest_recorder.pages.run_head import OPEN_STATES
from semantest_recorder.pages.run_words import RUN_COLUMNS, run_cells
from semantest_recorder.pages.table import Table
from semantest_recorder.reports.run_list import RunPage

_SHOWN, _EXPORTED = 50, 5000
_RUNNING_SHOWN = 20
_CLOSED: Final = ("passed", "failed", "interrupted", "cancelled", "timeout")
_FILTERS: Final = ("state", "branch", "label", "text")
#: Parameters of the address.
_ASKS: Final = (*_FILTERS, "after", "limit")


def pages(database: Path) -> list[Page]:
    """The page."""
    counts = KeptCounts()
    view, table = partial(_view, database, counts), partial(_table, database, counts)
    return [Page("/runs", "run_list.html", "runs", view, table, stamp=polled(POLL), asks=_ASKS)]


def _view(database: Path, counts: KeptCounts, visit: Visit) -> Mapping[str, Any]:
    wanted, after = _wanted(visit), visit.asked("after")
    # Those that run stand first, wherever their time would put them.
    apart = not wanted.states
    running = found_runs(database, wanted._replace(states=OPEN_STATES), _RUNNING_SHOWN) if apart and not after else []
    listed = wanted._replace(states=_CLOSED) if apart else wanted
    return {
        "running": running,
        "page": _page(database, counts, listed, after, visit.number("limit", _SHOWN, 500)),
        "states": ("running", *_CLOSED),
        "wanted": {name: visit.asked(name) for name in _FILTERS},
        "filtered": any(visit.asked(name) for name in _FILTERS),
        "lately": lately(database),
    }


def _page(database: Path, counts: KeptCounts, wanted: RunFilter, after: str, limit: int) -> RunPage:
    try:
        return run_page(database, wanted, counts, "-started", after or None, limit)
    except InvalidCursor:
        raise Misunderstood("after= is not of this list: begin with its first page") from None


def _wanted(visit: Visit) -> RunFilter:
    state = visit.choice("state", ("", *OPEN_STATES, *_CLOSED))
    name, has_value, value = visit.asked("label").partition("=")
    return RunFilter(
        states=OPEN_STATES if state == "running" else (state,) if state else (),
        branch=visit.asked("branch") or None,
        labels=[(name, value if has_value else None)] if name else [],
        text=visit.asked("text") or None,
    )


def _table(database: Path, counts: KeptCounts, visit: Visit) -> Table:
    limit = visit.number("limit", _EXPORTED, _EXPORTED)
    runs = _page(database, counts, _wanted(visit), visit.asked("after"), limit).runs
    return Table("runs", RUN_COLUMNS, [run_cells(run) for run in runs])

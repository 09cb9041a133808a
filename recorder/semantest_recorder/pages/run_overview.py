"""``/runs/{run}``: why a run failed, and whether that is new."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.run_overview import RunOverview, run_overview
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.pages.page import Page, Visit, polled
from semantest_recorder.pages.run_facts import run_facts
from semantest_recorder.pages.run_head import OPEN_STATES, run_head
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.pages.traceback_lines import traceback_lines
from semantest_recorder.reports.wording import duration, nonzero

#: Causes that are shown, unless all are asked for, and lines of the traceback of each.
_CAUSES, _CAUSES_MAX = 12, 50
_LINES = 14
_COLUMNS = ("cause", "tests", "type", "message", "file", "line", "standing", "first_bad_run", "first_seen_run", "test")
#: Parameters of the address.
_ASKS: Final = ("causes", "drawn")


def pages(database: Path) -> list[Page]:
    """The page."""
    view, table = partial(_view, database), partial(_table, database)
    return [Page("/runs/{run}", "run_overview.html", "runs", view, table, stamp=polled("drawn"), asks=_ASKS)]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "overview")
    run = head["run"]
    most = _CAUSES_MAX if visit.choice("causes", ("", "all")) else _CAUSES
    told = run_overview(database, run.id, most)
    shown = told.causes.told[:most]
    bad = sum(number for state, number in nonzero(run.counts) if state in BROKEN or state == "flaky")
    # A page of a run that goes on asks for the result alone: what is below it stays where somebody reads it.
    drawn = visit.asked("drawn")
    return {
        **head,
        "told": told,
        "facts": run_facts(told.run),
        "took": _took(told),
        "drawn": drawn or f"{bad} failed",
        "stale": drawn not in ("", f"{bad} failed") or (bool(drawn) and run.state not in OPEN_STATES),
        "causes": shown,
        "new": sum(cause.is_new for cause in told.causes.told),
        "lines": {cause.found.id: traceback_lines(cause.test.error, _LINES) for cause in shown},
    }


def _took(told: RunOverview) -> str:
    """``1.2 s, usually 0.9 s``."""
    usual = f", usually {duration(told.usual_ms)}" if told.usual_ms is not None else ""
    return f"{duration(told.run.duration_ms)}{usual}" if told.run.duration_ms is not None else ""


def _table(database: Path, visit: Visit) -> Table:
    head = run_head(database, visit, "overview")
    rows: list[list[Cell]] = []
    for cause in run_overview(database, head["run"].id, 0).causes.told:
        found, error = cause.found, cause.found.sample.error
        standing = cause.standing
        rows.append(
            [
                *(found.id, len(found.tests), found.type, found.message, error.file, error.line, standing.kind),
                *(standing.first_bad.run_id if standing.first_bad else None, found.first_seen.id, found.sample.test),
            ]
        )
    return Table("causes", _COLUMNS, rows)

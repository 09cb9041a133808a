"""``/runs``: what was recorded, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.answers.runs import newest_runs
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.run_words import RUN_COLUMNS, run_cells
from semantest_recorder.pages.table import Table

_SHOWN = 50


def pages(database: Path) -> list[Page]:
    """The page."""
    return [Page("/runs", "run_list.html", "runs", partial(_view, database), partial(_table, database))]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    return {"runs": newest_runs(database, visit.number("limit", _SHOWN, 500))}


def _table(database: Path, visit: Visit) -> Table:
    runs = newest_runs(database, visit.number("limit", _SHOWN, 500))
    return Table("runs", RUN_COLUMNS, [run_cells(run) for run in runs])

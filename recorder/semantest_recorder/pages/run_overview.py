"""``/runs/{run}``: why a run failed, and whether that is new."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.run_head import run_head


def pages(database: Path) -> list[Page]:
    """The page."""
    return [Page("/runs/{run}", "run_overview.html", "runs", partial(_view, database))]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    return run_head(database, visit, "overview")

"""Where the time goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from semantest_recorder.answers.window import Window, found_window
from semantest_recorder.core.analysis.durations import Rank
from semantest_recorder.reports.slowest_list import SlowestList, slow_entry
from semantest_recorder.reports.window import window_info
from semantest_recorder.store.analysis_durations import Phase, slowest_groups, slowest_tests
from semantest_recorder.store.identity import read_identity

__all__ = ["By", "Phase", "slowest_list"]

By = Literal["test", "file", "suite"]


def slowest_list(
    database: Path,
    window: Window,
    *,
    by: By = "test",
    sort: Rank = "p95",
    phase: Phase | None = None,
    limit: int | None = None,
) -> SlowestList:
    """The ``limit`` slowest (``None``: all), in one ``phase`` or in all. Raises what ``found_window`` raises."""
    most = sys.maxsize if limit is None else limit
    with found_window(database, window) as (connection, seen):
        if by == "test":
            slowest = slowest_tests(connection, seen, sort, phase, most, read_identity(database))
        else:
            slowest = slowest_groups(connection, seen, sort, phase, most, _file_of if by == "file" else str)
    return SlowestList(
        window=window_info(seen, window.branch),
        by=by,
        sort=sort,
        phase=phase,
        total=slowest.total,
        total_ms=slowest.total_ms,
        entries=[slow_entry(*slow, slowest.total_ms, seen) for slow in slowest.found],
    )


def _file_of(suite: str) -> str:
    return suite.partition("::")[0]

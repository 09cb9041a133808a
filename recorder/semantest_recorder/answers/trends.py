"""How a suite goes on from run to run."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.window import Window, found_window
from semantest_recorder.core.analysis.trend import Period, trend, trend_changes
from semantest_recorder.reports.trend_table import Trends
from semantest_recorder.reports.trend_table import trends as trend_table
from semantest_recorder.store.analysis_trend import run_numbers
from semantest_recorder.store.analysis_window import closed_runs
from semantest_recorder.store.identity import read_identity


def trends(database: Path, window: Window, by: Period = "run") -> Trends:
    """Counts, rates and durations by run, day or week. Raises what ``found_window`` raises."""
    with found_window(database, window) as (connection, seen):
        known = closed_runs(connection, window.branch)
        numbers = run_numbers(connection, seen, known, read_identity(database))
    points = trend(numbers, by)
    return trend_table(seen, window.branch, by, points, trend_changes(points))

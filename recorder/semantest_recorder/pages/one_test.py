"""``/test?id=...``: one test through its runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.answers.history import history_of
from semantest_recorder.answers.run_search import lately
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.answers.story_of_test import story_of
from semantest_recorder.core.analysis.durations import Sample, last_change
from semantest_recorder.core.analysis.flakiness import PASSED
from semantest_recorder.pages.charts import chart, drawn
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.reports.history_of_test import TestHistory
from semantest_recorder.reports.past_result import PastResult
from semantest_recorder.reports.wording import duration, state_word

_SHOWN, _MOST = 60, 1000
_COLUMNS = ("run", "started", "state", "attempts", "duration_ms", "branch", "commit", "worker", "test", "reason")


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [Page("/test", "test.html", "tests", *views, asks=("id", "branch", "runs"))]


def _asked(visit: Visit) -> tuple[str, str | None]:
    test = visit.query.get("id", "")
    if not test:
        raise Misunderstood("say which test: /test?id=... (Find a test lists them)")
    return test, visit.asked("branch") or None


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    test, branch = _asked(visit)
    story = story_of(database, test, branch, visit.number("runs", _SHOWN, _MOST))
    oldest_first = story.history.runs[::-1]
    times = chart([run.duration_ms if run.attempts else None for run in oldest_first])
    passes = [Sample(place, run.duration_ms) for place, run in enumerate(oldest_first) if run.state in PASSED]
    change = last_change(passes)
    return {
        "found": story.history,
        "blame": story.blame,
        "oldest_first": oldest_first,
        "drawn": drawn(times, [_words(run) for run in oldest_first], duration, [change.run] if change else ()),
        "change": change,
        "branches": lately(database).branches,
    }


def _words(run: PastResult) -> str:
    took = f", {duration(run.duration_ms)}" if run.attempts else ""
    return f"{run.run}: {state_word(run.state)}{took}{f', {run.branch}' if run.branch else ''}"


def _table(database: Path, visit: Visit) -> Table:
    test, branch = _asked(visit)
    with stored_history(database) as history:
        return Table("test-history", _COLUMNS, _rows(history_of(history, test, branch, _MOST)))


def _rows(found: TestHistory) -> list[list[Any]]:
    return [
        [
            *(run.run, run.started_at, run.state, run.attempts, run.duration_ms, run.branch, run.commit, run.worker),
            *(run.test, run.reason),
        ]
        for run in found.runs
    ]

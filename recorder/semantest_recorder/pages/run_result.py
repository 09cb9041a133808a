"""``/runs/{run}/test?id=``: one test in one run, attempt by attempt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.answers.one_result import one_result
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.pictures import picture_of
from semantest_recorder.pages.run_head import run_head
from semantest_recorder.pages.table import Table
from semantest_recorder.pages.traceback_lines import traceback_lines
from semantest_recorder.reports.report import AttemptInfo, PhaseTimes, TestInfo
from semantest_recorder.reports.verdict import final_attempt, why

#: Characters of a captured text that are shown: browsers are slow with more.
_TEXT = 100_000
#: Lines of a traceback: a recursion without end has thousands.
_LINES = 400
_COLUMNS = (
    "attempt",
    "outcome",
    "worker",
    "phase",
    "duration_ms",
    "setup_ms",
    "call_ms",
    "teardown_ms",
    "type",
    "message",
)


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [Page("/runs/{run}/test", "run_result.html", "runs", *views, asks=("id",))]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "tests")
    found = one_result(database, head["run"].id, _test(visit))
    test = found.test
    return {
        **head,
        "found": found,
        "test": test,
        "why": why(test.state, final_attempt(test), test.reason),
        "attempts": [_attempt(database, attempt) for attempt in test.attempts_detail],
    }


def _test(visit: Visit) -> str:
    name = visit.asked("id")
    if not name:
        raise Misunderstood("name the test: ?id=...")
    return name


def _attempt(database: Path, attempt: AttemptInfo) -> dict[str, Any]:
    """An attempt and what is drawn of it."""
    pictures = {one.sha256 for one in attempt.attachments if one.sha256 and picture_of(database, one.sha256)}
    return {
        "told": attempt,
        "lines": traceback_lines(attempt.error, _LINES),
        "phases": phase_parts(attempt.phases),
        "output": [(one, one.text[-_TEXT:], max(0, len(one.text) - _TEXT)) for one in attempt.output],
        "logs": [(log, None if log.data is None else _json(log.data)) for log in attempt.logs],
        "pictures": [one for one in attempt.attachments if one.sha256 in pictures],
    }


def phase_parts(phases: PhaseTimes) -> list[tuple[str, float, float, float]]:
    """``(phase, x, width, milliseconds)`` of a bar of 100, for phases that took any time."""
    told = [(name, ms) for name in ("setup", "call", "teardown") if (ms := getattr(phases, name))]
    whole = sum(ms for _name, ms in told)
    parts, x = [], 0.0
    for name, ms in told:
        width = ms * 100 / whole
        parts.append((name, round(x, 3), round(width, 3), ms))
        x += width
    return parts


def _json(data: object) -> str:
    return msgspec.json.format(msgspec.json.encode(data)).decode("utf-8", "replace")


def _table(database: Path, visit: Visit) -> Table:
    test: TestInfo = one_result(database, run_head(database, visit, "tests")["run"].id, _test(visit)).test
    rows = [
        [
            *(one.attempt, one.outcome, one.worker, one.phase, one.duration_ms),
            *(one.phases.setup, one.phases.call, one.phases.teardown),
            *((one.error.type, one.error.message) if one.error is not None else (None, None)),
        ]
        for one in test.attempts_detail
    ]
    return Table("attempts", _COLUMNS, rows)

"""What the page knows of a run before anything is opened: columns of numbers and names. Pure.

docs/design/html-report.md describes every field.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pytest_semantest.protocol.events import BAD_STATES
from semantest_recorder.reports.chain_words import chain_words
from semantest_recorder.reports.report import AttemptInfo, Report, TestInfo
from semantest_recorder.reports.run_reasons import run_reasons
from semantest_recorder.reports.state_letters import LETTERS
from semantest_recorder.reports.verdict import deciding_attempt, why
from semantest_recorder.reports.wording import state_in_words, state_word

INDEX_FORMAT: Final = 1

#: Every state of a test, what needs a reader first.
_WORST_FIRST: Final = (
    *("lost", "crashed", "timeout", "interrupted", "error", "failed", "flaky", "running", "not_run", "pending"),
    *("xpassed", "skipped", "xfailed", "passed"),
)
_STATE_NUMBER: Final = {state: number for number, state in enumerate(_WORST_FIRST)}
_MESSAGE_MAX: Final = 300


def index_of(report: Report, rerun: str | None) -> dict[str, Any]:
    """The index of a report whose tests have their attempts; ``rerun`` is the command that runs the bad ones again."""
    return {
        "format": INDEX_FORMAT,
        "run": report.run,
        "counts": report.counts,
        "verdict": state_in_words(report.run, report.counts.total),
        "reasons": list(run_reasons(report)),
        "rerun": rerun,
        "chain": chain_words(report),
        "states": [_state(state) for state in _WORST_FIRST],
        "tests": _tests(report.tests),
        "timeline": _timeline(report),
        "warnings": report.warnings,
    }


def _state(state: str) -> dict[str, Any]:
    return {"name": state, "word": state_word(state), "letter": LETTERS[state], "bad": state in BAD_STATES}


class _Names:
    """Numbers for names that come again and again."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, name: Any) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def all(self) -> list[Any]:
        return list(self._numbers)


def _tests(tests: list[TestInfo]) -> dict[str, Any]:
    suites, files, workers, markers = _Names(), _Names(), _Names(), _Names()
    return {
        "id": [test.id for test in tests],
        "suite": [suites.number(test.suite) for test in tests],
        "state": [_STATE_NUMBER[test.state] for test in tests],
        "ms": [_rounded(test.duration_ms) for test in tests],
        "worker": [workers.number(test.worker or "") for test in tests],
        "file": [files.number(test.file or "") for test in tests],
        "line": [test.line for test in tests],
        "attempts": [test.attempts for test in tests],
        "markers": [markers.number(tuple(test.markers)) for test in tests],
        "message": {str(at): words for at, test in enumerate(tests) if (words := _message(test))},
        "suites": suites.all(),
        "files": files.all(),
        "workers": workers.all(),
        "markerSets": markers.all(),
    }


def _message(test: TestInfo) -> str:
    """Why the test is not plainly green, on one line."""
    told = why(test.state, deciding_attempt(test) if test.attempts_detail else None, test.reason)
    first = next((line.strip()[:_MESSAGE_MAX] for line in told.splitlines() if line.strip()), "")
    if test.quarantine is None or not test.quarantine.forgiven:
        return first
    who = f"{test.quarantine.reason} ({test.quarantine.owner}, until {test.quarantine.expires})"
    return f"in quarantine, does not count: {who[:_MESSAGE_MAX]}: {first}"


def _timeline(report: Report) -> dict[str, Any]:
    """Every attempt whose start is known, by when it started: in which lane (process), when and how long."""
    told = [
        (attempt.started_ms, number, attempt)
        for number, test in enumerate(report.tests)
        for attempt in test.attempts_detail
        if attempt.started_ms is not None and math.isfinite(attempt.started_ms)
    ]
    told.sort(key=lambda entry: entry[:2])
    starts = [started for started, _number, _attempt in told]
    began = min(starts, default=0.0)
    lanes = _Names()
    return {
        "beganMs": began,
        "test": [number for _started, number, _attempt in told],
        "lane": [lanes.number((attempt.source, attempt.worker, attempt.job)) for _started, _number, attempt in told],
        "attempt": [attempt.attempt for _started, _number, attempt in told],
        "start": [round(started - began, 1) for started in starts],
        "ms": [_rounded(attempt.duration_ms) for _started, _number, attempt in told],
        "state": [_outcome(attempt) for _started, _number, attempt in told],
        "lanes": [{"source": source, "worker": worker, "job": job} for source, worker, job in lanes.all()],
    }


def _outcome(attempt: AttemptInfo) -> int:
    return _STATE_NUMBER[attempt.outcome or "running"]


def _rounded(milliseconds: float) -> float:
    return round(milliseconds, 2) if math.isfinite(milliseconds) else 0.0

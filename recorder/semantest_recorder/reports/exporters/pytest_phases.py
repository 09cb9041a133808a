"""An attempt as pytest's reports of setup, call and teardown, for formats that are made of those."""

from __future__ import annotations

import msgspec

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.report import AttemptInfo, ErrorInfo, TestInfo
from semantest_recorder.reports.verdict import full_text, why

_PHASES = ("setup", "call", "teardown")


class PhaseReport(msgspec.Struct):
    """One phase. ``outcome``: passed, failed or skipped; ``text``: traceback or reason; ``error`` of a failure.

    ``xfail_reason`` is there for a test that was expected to fail.
    """

    phase: str
    outcome: str
    duration_ms: float
    text: str = ""
    error: ErrorInfo | None = None
    xfail_reason: str | None = None


def phase_reports(test: TestInfo, attempt: AttemptInfo) -> list[PhaseReport]:
    """The phases of an attempt up to the one that decided it, and what is known of those behind.

    Of one that still runs those that are over.
    """
    times = dict(zip(_PHASES, (attempt.phases.setup, attempt.phases.call, attempt.phases.teardown), strict=True))
    reports = [PhaseReport(phase, "passed", took) for phase, took in times.items() if took is not None]
    if attempt.outcome is None:
        return reports
    decisive = _decisive_phase(attempt)
    unknown = max(0.0, attempt.duration_ms - sum(report.duration_ms for report in reports))
    before = _PHASES[: _PHASES.index(decisive)]
    reports += [PhaseReport(phase, "passed", 0.0) for phase in before if times[phase] is None]
    reports += [PhaseReport(decisive, "passed", unknown)] if times[decisive] is None else []
    reports.sort(key=lambda report: _PHASES.index(report.phase))
    for report in reports:
        if report.phase == decisive:
            _decide(report, test, attempt)
        elif report.phase == "teardown" and attempt.error is not None and attempt.error.teardown is not None:
            report.outcome, report.error = "failed", attempt.error.teardown
            report.text = full_text(attempt.error.teardown)
    return reports


def _decisive_phase(attempt: AttemptInfo) -> str:
    """The phase in which the attempt became what it is."""
    told = attempt.error.phase if attempt.error is not None else None
    known = next((phase for phase in (told, attempt.phase) if phase in _PHASES), None)
    if attempt.outcome == "error":
        return known if known in ("setup", "teardown") else "setup"
    if attempt.outcome in ("skipped", "xfailed") and attempt.phases.call is None:
        return "setup"
    return known or "call" if attempt.outcome in BAD_OUTCOMES - {"failed"} else "call"


def _decide(report: PhaseReport, test: TestInfo, attempt: AttemptInfo) -> None:
    outcome = attempt.outcome or ""
    reason = attempt.reason or test.reason or ""
    if outcome == "skipped":
        report.outcome, report.text = "skipped", reason
    elif outcome in ("xfailed", "xpassed"):
        report.outcome = "skipped" if outcome == "xfailed" else "passed"
        report.xfail_reason = reason
    elif outcome in BAD_OUTCOMES:
        report.outcome, report.error = "failed", attempt.error
        report.text = (full_text(attempt.error) if attempt.error is not None else "") or why(outcome, attempt)


def file_line(test: TestInfo) -> int | None:
    """The line of the test as pytest counts lines in its reports: from 0."""
    return None if test.line is None else max(0, test.line - 1)

"""``reportlog``: the lines of the plugin pytest-reportlog: a report for each phase of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, every_test, only_run
from semantest_recorder.reports.exporters.pytest_phases import PhaseReport, file_line, phase_reports
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import AttemptInfo, Report, TestInfo
from semantest_recorder.reports.run_reasons import shard_warnings, told_exit_code
from semantest_recorder.reports.verdict import final_attempt, full_text, is_uncollected, other_attempts, why


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """One run. Tests that never started have no line, as with the plugin."""
    run = only_run(runs)
    _line(stream, _session_start(run.report))
    for test in run.tests(every_test):
        if is_uncollected(test):
            _line(stream, _collect_report(test))
            continue
        final = final_attempt(test)
        # Of several jobs the one that decided is not always the last; readers go by the last report.
        for attempt in [*other_attempts(test), *([final] if final is not None else [])]:
            is_rerun = attempt is not final and attempt.outcome in BAD_OUTCOMES
            for report in _test_reports(test, attempt, is_rerun=is_rerun):
                _line(stream, report)
    for warning in [*run.report.warnings, *shard_warnings(run.report)]:
        told = {"category": warning.category, "filename": warning.file, "lineno": warning.line}
        kind = {"$report_type": "WarningMessage", "when": "runtest", "location": None}
        _line(stream, {**told, "message": warning.message, **kind})
    exit_code = told_exit_code(run.report.run)
    if exit_code is not None:  # a pytest that died, or still runs, does not write the last line either
        _line(stream, {"exitstatus": exit_code, "$report_type": "SessionFinish"})


def _line(stream: BinaryIO, value: Any) -> None:
    stream.write(json_text(value) + b"\n")


def _session_start(report: Report) -> dict[str, Any]:
    environment = report.run.environment or {}
    packages = environment.get("packages")
    version = packages.get("pytest") if isinstance(packages, dict) else environment.get("pytest")
    return {"pytest_version": version, "$report_type": "SessionStart"}


def _collect_report(test: TestInfo) -> dict[str, Any]:
    error = test.error
    return {
        "nodeid": test.id,
        "outcome": "failed",
        "longrepr": full_text(error) if error is not None else why(test.state, None, test.reason),
        "result": None,
        "sections": [],
        "$report_type": "CollectReport",
    }


def _test_reports(test: TestInfo, attempt: AttemptInfo, *, is_rerun: bool) -> Iterator[dict[str, Any]]:
    sections = [
        [f"Captured {output.stream}{f' {output.phase}' if output.phase else ''}", output.text]
        for output in attempt.output
    ]
    began = (attempt.started_ms or 0.0) / 1000
    reports = phase_reports(test, attempt)
    for report in reports:
        seconds = round(report.duration_ms / 1000, 9)
        outcome = "rerun" if is_rerun and report.outcome == "failed" else report.outcome
        yield {
            "nodeid": test.id,
            "location": [test.file, file_line(test), test.name],
            "keywords": dict.fromkeys((test.name, *test.markers), 1),
            "outcome": outcome,
            "longrepr": _longrepr(report, test),
            "when": report.phase,
            "user_properties": attempt.user_properties,
            "sections": sections if report is reports[-1] else [],
            "duration": seconds,
            "start": began,
            "stop": began + seconds,
            "$report_type": "TestReport",
        } | _more(report, test)
        began += seconds


def _more(report: PhaseReport, test: TestInfo) -> dict[str, Any]:
    """What not every report has: as in the plugin's own lines, a failure that counts has no entry of quarantine."""
    found: dict[str, Any] = {}
    if report.xfail_reason is not None:
        found["wasxfail"] = report.xfail_reason
    if test.quarantine is not None and (report.outcome != "failed" or test.quarantine.forgiven):
        found["semantest_quarantine"] = test.quarantine
    return found


def _longrepr(report: PhaseReport, test: TestInfo) -> Any:
    """A text for a failure, of a skip what pytest has: file, line, reason."""
    if report.outcome == "skipped" and report.xfail_reason is None:
        return [test.file, test.line, f"Skipped: {report.text}"]
    return report.text or None

"""``pytest-json-report``: the document that the plugin of that name writes, version 1.5."""

from __future__ import annotations

from typing import Any, BinaryIO

from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions, Runs, every_test, only_run
from semantest_recorder.reports.exporters.pytest_phases import PhaseReport, file_line, phase_reports
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import AttemptInfo, Report, TestInfo
from semantest_recorder.reports.run_reasons import shard_warnings, told_exit_code
from semantest_recorder.reports.verdict import bad_attempts, final_attempt, full_text, is_uncollected, why

#: The word of the plugin for each state. xdist reports a test whose worker died as failed; what the plugin has no word
#: for keeps its own.
OUTCOMES = {"flaky": "passed", "crashed": "failed", "timeout": "failed", "interrupted": "error", "lost": "error"}


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """One run. Files that could not be collected are among the collectors only, as with the plugin."""
    run = only_run(runs)
    head = _head(run.report)
    stream.write(json_text(head)[:-1] + b',"collectors":')
    _write_list(stream, run, collectors=True)
    stream.write(b',"tests":')
    _write_list(stream, run, collectors=False)
    warnings = [
        {
            "message": warning.message,
            "category": warning.category,
            "when": "runtest",
            "filename": warning.file,
            "lineno": warning.line,
        }
        for warning in [*run.report.warnings, *shard_warnings(run.report)]
    ]
    stream.write(b',"warnings":' + json_text(warnings) + b"}\n")


def _head(report: Report) -> dict[str, Any]:
    run = report.run
    tests = [test for test in report.tests if not is_uncollected(test)]
    outcomes = [_outcome(test) for test in tests]
    summary: dict[str, int] = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    reruns = sum(len(bad_attempts(test)) for test in tests)
    summary |= {name: number for name, number in (("rerun", reruns), ("deselected", run.deselected)) if number}
    started, ended = run.started_ms or 0.0, run.ended_ms or run.started_ms or 0.0
    return {
        "created": ended / 1000,
        "duration": max(0.0, ended - started) / 1000,
        "exitcode": told_exit_code(run),
        "root": run.rootdir,
        "environment": run.environment or {},
        "summary": summary | {"total": len(tests), "collected": len(tests) + run.deselected},
    }


def _write_list(stream: BinaryIO, run: ExportedRun, *, collectors: bool) -> None:
    """The files that could not be collected, or all other tests."""

    def is_listed(test: TestInfo) -> bool:
        return is_uncollected(test) == collectors

    stream.write(b"[")
    separator = b"\n"
    for test in run.tests(is_listed if collectors else every_test):
        if is_listed(test):
            stream.write(separator + json_text(_collector(test) if collectors else _test(test)))
            separator = b",\n"
    stream.write(b"]")


def _collector(test: TestInfo) -> dict[str, Any]:
    text = full_text(test.error) if test.error is not None else why(test.state, None, test.reason)
    return {"nodeid": test.id, "outcome": "failed", "result": [], "longrepr": text}


def _outcome(test: TestInfo) -> str:
    return OUTCOMES.get(test.state, test.state)


def _test(test: TestInfo) -> dict[str, Any]:
    final = final_attempt(test)
    found: dict[str, Any] = {
        "nodeid": test.id,
        "lineno": file_line(test),
        "outcome": _outcome(test),
        "keywords": [test.name, *test.markers, test.suite],
    }
    if final is not None:
        for report in phase_reports(test, final):
            found[report.phase] = _stage(report, final)
        if final.user_properties:
            found["user_properties"] = [{str(key): value} for key, value in final.user_properties]
    told = {"id": test.id, "state": test.state, "attempts": test.attempts, "durationMs": test.duration_ms}
    return found | {
        "metadata": {"semantest": told | {"worker": test.worker, "reason": test.reason, "quarantine": test.quarantine}}
    }


def _stage(report: PhaseReport, attempt: AttemptInfo) -> dict[str, Any]:
    """One phase; durations in seconds."""
    stage: dict[str, Any] = {"duration": round(report.duration_ms / 1000, 9), "outcome": report.outcome}
    error = report.error
    if error is not None and error.file is not None:
        place = {"path": error.file, "lineno": error.line}
        stage["crash"] = {**place, "message": error.message}
        stage["traceback"] = [{**place, "message": error.type or ""}]
    for output in attempt.output:
        if output.phase == report.phase and output.stream in ("stdout", "stderr"):
            stage[output.stream] = stage.get(output.stream, "") + output.text
    if report.text:
        stage["longrepr"] = report.text
    return stage

"""``ctrf``: the Common Test Report Format (https://ctrf.io), specification 0.0.0 of November 2025.

Nothing stands outside ``extra`` that the specification does not know; times are whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Final
from uuid import UUID, uuid5

from pytest_semantest import __version__
from pytest_semantest.protocol.identity import suite_of
from semantest_recorder.reports.checkout import branch_and_commit
from semantest_recorder.reports.exporters.exporter import ExportOptions, Runs, every_test, only_run
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import (
    AttachmentInfo,
    AttemptInfo,
    Report,
    RunInfo,
    StepInfo,
    TestInfo,
    is_forgiven,
)
from semantest_recorder.reports.run_reasons import RUN_ITSELF, hidden_failure, missing_shards
from semantest_recorder.reports.verdict import final_attempt, full_text, other_attempts, why
from semantest_recorder.reports.wording import nonzero

SPEC_VERSION: Final = "0.0.0"
#: Under which names of tests and runs become UUIDs: the same in every run, on every machine.
NAMESPACE: Final = UUID("5f2d6f0e-6a3b-4f0c-9d51-3c1b8e7a4d92")
#: The word of the format for each state and outcome; what never ran is pending, what runs is other.
STATUS: Final = {
    "passed": "passed",
    "flaky": "passed",
    "xpassed": "passed",
    "failed": "failed",
    "error": "failed",
    "crashed": "failed",
    "timeout": "failed",
    "interrupted": "failed",
    "lost": "failed",
    "skipped": "skipped",
    "xfailed": "skipped",
    "not_run": "pending",
    "pending": "pending",
    "running": "other",
}
_MOST = 2.0**53
_STATUSES = ("passed", "failed", "skipped", "pending", "other")


def export(runs: Runs, stream: BinaryIO, options: ExportOptions) -> None:  # noqa: ARG001 - an Exporter
    """One run; the environment stands before the tests, which are written one by one."""
    run = only_run(runs)
    report = run.report
    head = {"reportId": _uuid(report.run.id), "generatedBy": f"semantest {__version__}"}
    if report.run.ended_at is not None:
        head["timestamp"] = report.run.ended_at
    stream.write(b'{"reportFormat":"CTRF","specVersion":"%b",' % SPEC_VERSION.encode())
    stream.write(json_text(head)[1:-1] + b',"results":{"tool":' + json_text(_tool(report.run)))
    stream.write(b',"summary":' + json_text(_summary(report)))
    stream.write(b',"environment":' + json_text(_environment(report.run)) + b',"tests":[')
    stream.writelines(
        (b",\n" if number else b"\n") + json_text(_test(test)) for number, test in enumerate(run.tests(every_test))
    )
    told = {"failed": "\n".join(hidden_failure(report)), "pending": missing_shards(report)}
    for status, message in told.items():
        if message:
            stream.write((b",\n" if report.tests else b"\n") + json_text(_run_itself(status, message)))
    stream.write(b"\n]}}\n")


def _tool(run: RunInfo) -> dict[str, Any]:
    if run.origin != "pytest":
        return {"name": "semantest", "version": __version__}
    packages = (run.environment or {}).get("packages")
    version = packages.get("pytest") if isinstance(packages, Mapping) else (run.environment or {}).get("pytest")
    return {"name": "pytest"} | ({"version": version} if isinstance(version, str) else {})


def _summary(report: Report) -> dict[str, Any]:
    numbers = dict.fromkeys(_STATUSES, 0)
    states = dict(nonzero(report.counts))
    for state, number in states.items():
        numbers[STATUS[state]] += number
    # Whoever reads it fails for each that failed.
    numbers["failed"] -= report.run.quarantined
    numbers["other"] += report.run.quarantined
    hidden = 1 if hidden_failure(report) else 0
    numbers["failed"] += hidden
    part = 1 if missing_shards(report) else 0
    numbers["pending"] += part
    start = _whole(report.run.started_ms) or 0
    stop = max(start, _whole(report.run.ended_ms) or start)
    return {
        "tests": report.counts.total + hidden + part,
        **numbers,
        "flaky": report.counts.flaky,
        "suites": len({test.suite for test in report.tests}),
        "start": start,
        "stop": stop,
        "duration": stop - start,
        "extra": {
            "states": states,
            "state": report.run.state,
            "shards": report.run.shard_count,
            "shardsMissing": report.run.shards_missing,
            "gaps": report.run.gaps,
            "quarantined": report.run.quarantined,
        },
    }


def _environment(run: RunInfo) -> dict[str, Any]:
    """Where the run was, as far as it is known and has the type that the format wants."""
    git, ci, known = run.git or {}, run.ci or {}, run.environment or {}
    branch, commit = branch_and_commit(git, ci)
    told = {
        "reportName": run.name,
        "buildId": ci.get("buildId"),
        "buildUrl": ci.get("buildUrl"),
        "repositoryUrl": git.get("remote"),
        "commit": commit,
        "branchName": branch,
        "osPlatform": known.get("platform"),
    }
    extra = {"run": run.id, "labels": run.labels, "python": known.get("python"), "exitCode": run.exit_code}
    return {key: value for key, value in told.items() if isinstance(value, str)} | {"extra": extra}


def _run_itself(status: str, message: str) -> dict[str, Any]:
    """The run as a test that failed, or that is to come: readers look at tests and their numbers only."""
    return {
        "id": _uuid(RUN_ITSELF),
        "name": RUN_ITSELF,
        "status": status,
        "duration": 0,
        "suite": ["semantest"],
        "rawStatus": RUN_ITSELF,
        "message": message,
    }


def _test(test: TestInfo) -> dict[str, Any]:
    final, others = final_attempt(test), other_attempts(test)
    file, _, classes = suite_of(test.id).partition("::")
    found: dict[str, Any] = {
        "id": _uuid(test.id),
        "name": test.id or "?",
        "status": "other" if is_forgiven(test) else STATUS[test.state],
        "duration": _whole(max(0.0, test.duration_ms)) or 0,
        "suite": [file, *(classes.split("::") if classes else ())],
        "rawStatus": test.state,
        "tags": test.markers,
        "retries": len(others),
        "flaky": test.state == "flaky",
    }
    found |= {key: value for key, value in {"filePath": test.file, "line": test.line}.items() if value is not None}
    found |= {"threadId": test.worker} if test.worker is not None else {}
    found |= {"parameters": {"id": test.params}} if test.params is not None else {}
    found |= _outcome(test.state, final, test.reason)
    if final is not None:
        found |= {"steps": [_step(step) for step in final.steps]} if final.steps else {}
        extra: dict[str, Any] = {"attempt": final.attempt, "phases": final.phases} | _job(final)
        found["extra"] = extra | ({"userProperties": final.user_properties} if final.user_properties else {})
    if test.quarantine is not None:
        found["extra"] = found.get("extra", {}) | {"quarantine": test.quarantine}
    if others:
        found["retryAttempts"] = [_retry(attempt) for attempt in others]
    return found


def _retry(attempt: AttemptInfo) -> dict[str, Any]:
    outcome = attempt.outcome or "running"
    found: dict[str, Any] = {
        "attempt": max(1, attempt.attempt),
        "status": STATUS[outcome],
        "duration": _whole(max(0.0, attempt.duration_ms)) or 0,
        "extra": {"rawStatus": outcome, "worker": attempt.worker} | _job(attempt),
    }
    if attempt.error is not None and attempt.error.line is not None:
        found["line"] = attempt.error.line
    return found | _outcome(outcome, attempt, None)


def _job(attempt: AttemptInfo) -> dict[str, str]:
    return {} if attempt.job is None else {"job": attempt.job}


def _outcome(state: str, attempt: AttemptInfo | None, reason: str | None) -> dict[str, Any]:
    """What a test and a retry have alike: message, trace, output, files, when it began and ended."""
    message = why(state, attempt, reason) if state not in ("passed", "flaky") else ""
    found: dict[str, Any] = {"message": message} if message else {}
    if attempt is None:
        return found
    if attempt.error is not None and (trace := full_text(attempt.error)):
        found["trace"] = trace
    if (start := _whole(attempt.started_ms)) is not None:
        found["start"], found["stop"] = start, start + (_whole(max(0.0, attempt.duration_ms)) or 0)
    lines: dict[str, list[str]] = {}
    for output in attempt.output:
        lines.setdefault("stderr" if output.stream == "stderr" else "stdout", []).extend(output.text.splitlines())
    if attempt.last_output:
        lines.setdefault("stdout", []).extend(attempt.last_output.splitlines())
    files = [_file(one, one.place) for one in attempt.attachments if one.place is not None]
    return found | lines | ({"attachments": files} if files else {})


def _file(one: AttachmentInfo, place: str) -> dict[str, str]:
    return {"name": one.name, "contentType": one.media_type or "application/octet-stream", "path": place}


def _step(step: StepInfo) -> dict[str, Any]:
    status = step.status if step.status in _STATUSES else "other"
    extra: dict[str, Any] = {"duration": step.duration_ms, "error": step.error}
    if step.steps:
        extra["steps"] = [_step(inner) for inner in step.steps]
    return {"name": step.name, "status": status, "extra": extra}


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE, name.encode("utf-8", "backslashreplace").decode()))


def _whole(milliseconds: float | None) -> int | None:
    """Whole milliseconds, as many as every reader of JSON can hold."""
    return None if milliseconds is None else round(min(max(milliseconds, -_MOST), _MOST))

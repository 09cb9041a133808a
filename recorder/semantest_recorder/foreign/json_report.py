"""pytest-json-report: one document with ``created``, ``exitcode``, ``collectors``, ``tests`` and ``summary``."""

from __future__ import annotations

from typing import Any

from semantest_recorder.foreign.amounts import duration_ms, moment_ms
from semantest_recorder.foreign.errors import NotThisFormatError
from semantest_recorder.foreign.json_values import counted, mapping, objects, read_document, text, whole
from semantest_recorder.foreign.missing_shards import WARNING, why_unfinished
from semantest_recorder.foreign.python_names import from_root
from semantest_recorder.foreign.quarantine import put_into_quarantine
from semantest_recorder.foreign.run import ForeignAttempt, ForeignFailure, ForeignOutput, ForeignRun, ForeignTest

_PHASES = ("setup", "call", "teardown")
_OUTCOMES = frozenset({"passed", "failed", "error", "skipped", "xfailed", "xpassed"})
_INTERRUPTED = 2
#: What it calls a test that pytest-rerunfailures ran again, whatever came of it.
_RERUN = "rerun"
#: What an export of ours calls its own metadata, and words of it.
_OURS = "semantest"
_NEVER_RAN = ("not_run", "pending", "running")
_RUN_AGAIN = "it was run again; the file does not say why"


def read_json_report(data: bytes) -> ForeignRun:
    """The run of a document. Tests that its collectors name and that have no result are planned, and nothing else.

    Raises ``UnreadableError`` when it is no such document.
    """
    document, problem = read_document(data, "tests")
    if not isinstance(document.get("tests"), list) and "collectors" not in document:
        raise NotThisFormatError("this is no report of pytest-json-report: it has neither tests nor collectors")
    run = ForeignRun("pytest-json-report", "pytest", problem=problem, exit_code=whole(document.get("exitcode")))
    if "exitcode" in document and run.exit_code is None:
        run.unfinished = "the report has no exit code: pytest died, or still ran"
    took = duration_ms(document.get("duration"))
    run.ended_ms = moment_ms(document.get("created"))
    if run.ended_ms is not None:
        run.started_ms = run.ended_ms - (took or 0.0) * 1000
    for collector in objects(document.get("collectors")):
        _collect(run, collector)
    run.tests += [_test(told) for told in objects(document.get("tests")) if text(told.get("nodeid"))]
    run.environment = {
        name: str(value) for name, value in mapping(document.get("environment")).items() if isinstance(value, str)
    }
    _read_plan(run, mapping(document.get("summary")))
    for warning in objects(document.get("warnings")):
        if warning.get("category") == WARNING:
            run.unfinished = why_unfinished(warning.get("message"))
    return run


def _collect(run: ForeignRun, told: dict[str, Any]) -> None:
    node_id = text(told.get("nodeid"))
    if node_id is not None and told.get("outcome") in ("failed", "skipped"):
        skipped = told["outcome"] == "skipped"
        stack = text(told.get("longrepr"))
        message = (stack or "").strip().rpartition("\n")[2] or None
        attempt = ForeignAttempt("skipped", reason=message) if skipped else ForeignAttempt("error")
        attempt.failure = None if skipped else ForeignFailure(message, stack=stack)
        run.tests.append(ForeignTest((node_id,), [attempt], node_id.partition("::")[0], collected=False))
    for item in objects(told.get("result")):
        found = text(item.get("nodeid"))
        is_test = item.get("type") in ("Function", "TestCaseFunction", "DoctestItem")
        if found is not None and is_test and not item.get("deselected"):
            run.planned.append(found)


def _read_plan(run: ForeignRun, summary: dict[str, Any]) -> None:
    """How many tests were to run, and whether the run was stopped: then those at the end of the plan have no result."""
    ran = {test.test_id for test in run.tests if test.attempts}
    collected, deselected = whole(summary.get("collected")), whole(summary.get("deselected"))
    if collected is not None:
        run.planned_total = max(0, collected - (deselected or 0))
    left = [test_id not in ran for test_id in run.planned]
    first = left.index(True) if True in left else len(left)
    at_the_end = any(left) and all(left[first:])
    never_ran = any(not test.attempts for test in run.tests)
    run.stopped_early = run.exit_code == _INTERRUPTED or never_ran or (at_the_end and run.exit_code == 1)


def _test(told: dict[str, Any]) -> ForeignTest:
    node_id = told["nodeid"]
    if told.get("outcome") in _NEVER_RAN:
        return ForeignTest((node_id,), [])
    attempt = ForeignAttempt(_outcome(told))
    total = 0.0
    for phase in _PHASES:
        part = mapping(told.get(phase))
        if not part:
            continue
        took = duration_ms((duration_ms(part.get("duration")) or 0.0) * 1000) or 0.0
        setattr(attempt, f"{phase}_ms", took)
        total += took
        if attempt.failure is None and part.get("outcome") == "failed" and attempt.outcome in ("failed", "error"):
            attempt.failure = _failure(part, phase)
        if attempt.reason is None and attempt.outcome in ("skipped", "xfailed"):
            attempt.reason = _reason(part)
        attempt.output += _output(part, phase)
    attempt.duration_ms = duration_ms(total)
    metadata = mapping(told.get("metadata"))
    ours = mapping(metadata.pop(_OURS, None))
    attempt.properties = [(name, str(value)) for name, value in metadata.items()]
    file = node_id.partition("::")[0]
    attempts = [attempt]
    if told.get("outcome") == _RERUN:  # of the attempts before there is not more
        attempts.insert(
            0, ForeignAttempt("failed", failure=ForeignFailure("it was run again; the file does not say why"))
        )
    if attempt.failure is not None:
        attempt.failure.file = from_root(attempt.failure.file, file)
    test = ForeignTest((node_id,), attempts, file, counted(told.get("lineno"), from_zero=True))
    quarantine = mapping(ours.get("quarantine"))
    put_into_quarantine(test, quarantine, forgiven=quarantine.get("forgiven") is True)
    return test


def _outcome(told: dict[str, Any]) -> str:
    """What came of a test: a failed call stays failed whatever its teardown does."""
    outcome = text(told.get("outcome")) or ""
    bad = [phase for phase in _PHASES if mapping(told.get(phase)).get("outcome") in ("failed", "error")]
    if "call" in bad and outcome in ("error", _RERUN):
        return "failed"
    if outcome == _RERUN:
        return "error" if bad else "passed"
    return outcome if outcome in _OUTCOMES else "error"


def _failure(part: dict[str, Any], phase: str) -> ForeignFailure:
    crash = mapping(part.get("crash"))
    message = text(crash.get("message"))
    kind = message.partition(":")[0] if message and message.partition(":")[0].isidentifier() else None
    place, line = text(crash.get("path")), counted(crash.get("lineno"))
    return ForeignFailure(message, kind, text(part.get("longrepr")), place, line, phase)


def _reason(part: dict[str, Any]) -> str | None:
    """``('file', 4, 'Skipped: why')``: what stands behind the last quote's beginning."""
    told = text(part.get("longrepr"))
    if told is None:
        return None
    return told.partition("Skipped: ")[2].rstrip("')\"") or told


def _output(part: dict[str, Any], phase: str) -> list[ForeignOutput]:
    found = [
        ForeignOutput(stream, content, phase)
        for stream in ("stdout", "stderr")
        if (content := text(part.get(stream))) is not None
    ]
    lines = [str(record.get("msg", "")) for record in objects(part.get("log"))]
    return [*found, ForeignOutput("log", "\n".join(lines), phase)] if lines else found

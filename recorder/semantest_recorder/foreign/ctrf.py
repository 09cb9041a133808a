"""CTRF, the Common Test Report Format (ctrf.io): ``results`` with ``tool``, ``summary``, ``tests``, ``environment``."""

from __future__ import annotations

from typing import Any

from semantest_recorder.foreign.amounts import duration_ms, moment_ms
from semantest_recorder.foreign.errors import NotThisFormatError
from semantest_recorder.foreign.json_values import counted, mapping, objects, read_document, text, whole
from semantest_recorder.foreign.missing_shards import why_unfinished
from semantest_recorder.foreign.quarantine import put_into_quarantine
from semantest_recorder.foreign.run import ForeignAttempt, ForeignFailure, ForeignOutput, ForeignRun, ForeignTest

_STATUS = {"passed": "passed", "failed": "failed", "skipped": "skipped", "pending": "skipped"}
#: Words of pytest that ``rawStatus`` may hold; they say more than the five of CTRF.
_RAW = frozenset(
    {"passed", "failed", "error", "skipped", "xfailed", "xpassed", "timeout", "interrupted", "crashed", "lost"}
)


_NEVER_RAN = ("not_run", "pending", "running")
#: What an export of ours says of the run itself.
_RUN = "semantest.run"
_PHASES = ("setup", "call", "teardown")


def read_ctrf(data: bytes) -> ForeignRun:
    """The run of a document. Raises ``UnreadableError`` when it is no CTRF."""
    document, problem = read_document(data, "tests")
    results = mapping(document.get("results")) or (document if problem else {})
    if not isinstance(results.get("tests"), list):
        raise NotThisFormatError("this is no CTRF: it has no results.tests")
    tool, summary = mapping(results.get("tool")), mapping(results.get("summary"))
    run = ForeignRun("ctrf", text(tool.get("name")) or "CTRF", problem=problem)
    run.started_ms, run.ended_ms = moment_ms(summary.get("start")), moment_ms(summary.get("stop"))
    run.planned_total = whole(summary.get("tests")) or 0
    environment = mapping(results.get("environment"))
    run.name = text(environment.get("reportName"))
    run.branch, run.commit = text(environment.get("branchName")), text(environment.get("commit"))
    run.build_url = text(environment.get("buildUrl"))
    run.environment = {name: value for name, value in environment.items() if isinstance(value, str)}
    ours = (text(document.get("generatedBy")) or "").startswith("semantest")
    tests = objects(results.get("tests"))
    proper = [told for told in tests if not ours or told.get("rawStatus") != _RUN]
    if len(proper) < len(tests):
        run.exit_code = 1
        run.planned_total -= len(tests) - len(proper)
        so_far = [told for told in tests if told.get("rawStatus") == _RUN and told.get("status") == "pending"]
        run.unfinished = why_unfinished(so_far[0].get("message")) if so_far else None
    run.tests = [_test(told, ours=ours) for told in proper]
    run.stopped_early = ours and not all(test.attempts for test in run.tests)
    return run


def _test(told: dict[str, Any], *, ours: bool) -> ForeignTest:
    """One test; an export of ours has its id as the name, and its very state as ``rawStatus``."""
    name, file = text(told.get("name")) or "unnamed", text(told.get("filePath"))
    if ours and text(told.get("rawStatus")) in _NEVER_RAN:
        return ForeignTest((name,), [], file, counted(told.get("line")))
    last = _attempt(told)
    attempts = [_attempt(one) for one in objects(told.get("retryAttempts"))]
    numbers = [whole(one.get("attempt")) for one in objects(told.get("retryAttempts"))]
    retries = whole(told.get("retries"))
    if retries is not None and len(attempts) == 1 + retries and len(set(numbers)) == len(numbers):
        attempts.pop()  # some tools tell of the last attempt there, too
    attempts.append(last)
    if len(attempts) == 1 and told.get("flaky") is True and last.outcome == "passed":
        attempts.insert(0, ForeignAttempt("failed", failure=ForeignFailure("the file does not say why")))
    test = ForeignTest((name if ours else _id(told, name, file),), attempts, file, counted(told.get("line")))
    if ours:
        quarantine = mapping(mapping(told.get("extra")).get("quarantine"))
        put_into_quarantine(test, quarantine, forgiven=quarantine.get("forgiven") is True)
    return test


def _id(told: dict[str, Any], name: str, file: str | None) -> str:
    """The name where it is a node id already, else behind the suite, whose parts may be a list."""
    if "::" in name:
        return name
    suite = told.get("suite")
    parts = [part for part in suite if isinstance(part, str)] if isinstance(suite, list) else [text(suite) or ""]
    if file and parts[:1] != [file]:
        parts.insert(0, file)
    return "::".join([*(part for part in parts if part), name])


def _attempt(told: dict[str, Any]) -> ForeignAttempt:
    extra = mapping(told.get("extra"))
    raw, status = text(told.get("rawStatus")) or text(extra.get("rawStatus")), text(told.get("status"))
    outcome = raw if raw in _RAW and _agree(raw, status) else _STATUS.get(status or "")
    attempt = ForeignAttempt(outcome or "error", duration_ms(told.get("duration")))
    attempt.started_ms = moment_ms(told.get("start"))
    phases = mapping(extra.get("phases"))
    attempt.setup_ms, attempt.call_ms, attempt.teardown_ms = (duration_ms(phases.get(name)) for name in _PHASES)
    message = text(told.get("message"))
    if attempt.outcome in ("skipped", "xfailed"):
        attempt.reason = message or ("pending" if status == "pending" else None)
    elif attempt.outcome not in ("passed", "xpassed"):
        attempt.failure = ForeignFailure(message, stack=text(told.get("trace")), line=counted(told.get("line")))
        if outcome is None:
            attempt.failure.message = message or f"the file calls it {status or 'nothing'}, which says nothing"
    attempt.output = [
        ForeignOutput(stream, "\n".join(line for line in lines if isinstance(line, str)))
        for stream in ("stdout", "stderr")
        if isinstance(lines := told.get(stream), list) and lines
    ]
    return attempt


def _agree(raw: str, status: str | None) -> bool:
    """Whether the tool's own word fits the status: what failed does not become green by it."""
    good = raw in ("passed", "xpassed", "skipped", "xfailed")
    return good == (status in ("passed", "skipped", "pending")) or status == "other"

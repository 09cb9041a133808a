"""pytest-reportlog: one JSON object a line, told apart by ``$report_type``.

``SessionStart``, ``CollectReport``, ``TestReport`` (one each for setup, call and teardown), ``WarningMessage`` and
``SessionFinish`` with the exit status, as pytest's ``pytest_report_to_serializable`` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_semantest.protocol.events import BAD_OUTCOMES
from semantest_recorder.foreign.amounts import duration_ms, moment_ms
from semantest_recorder.foreign.decoding import text_of
from semantest_recorder.foreign.errors import Problem, UnreadableError
from semantest_recorder.foreign.json_values import counted, mapping, objects, text, whole
from semantest_recorder.foreign.missing_shards import WARNING, why_unfinished
from semantest_recorder.foreign.python_names import from_root
from semantest_recorder.foreign.quarantine import ENTRY, FORGIVEN, read_quarantine
from semantest_recorder.foreign.run import ForeignAttempt, ForeignFailure, ForeignOutput, ForeignRun, ForeignTest

_STREAMS = {"stdout": "stdout", "stderr": "stderr", "log": "log"}
_PHASES = ("setup", "call", "teardown")


def read_reportlog(data: bytes) -> ForeignRun:
    """The run of a log. One without its last line is of a pytest that died or still ran: its run is interrupted.

    Raises ``UnreadableError`` when no line can be read.
    """
    run = ForeignRun("reportlog", "pytest")
    reading = _Reading(run)
    lines = 0
    for number, line in enumerate(text_of(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("$report_type"), str):
            run.problem = run.problem or Problem("this line is no report of pytest-reportlog", number)
            continue
        lines += 1
        reading.line(told)
    if not lines:
        raise UnreadableError("no line is a report of pytest-reportlog", run.problem.line if run.problem else None)
    reading.finish()
    return run


class _Reading:
    def __init__(self, run: ForeignRun) -> None:
        self.run = run
        self._tests: dict[str, ForeignTest] = {}
        #: Tests whose setup was told and whose teardown was not.
        self._open: dict[str, ForeignAttempt] = {}
        self._ended = False

    def line(self, told: dict[str, Any]) -> None:
        kind = told["$report_type"]
        if kind == "SessionFinish":
            self.run.exit_code = whole(told.get("exitstatus"))
            self._ended = self.run.exit_code is not None
        elif kind == "WarningMessage" and told.get("category") == WARNING:
            self.run.unfinished = why_unfinished(told.get("message"))
        elif kind == "CollectReport" and told.get("outcome") != "passed":
            self._uncollected(told)
        elif kind == "TestReport" and text(told.get("nodeid")):
            self._report(told)
        elif kind in ("SubTestReport", "SubtestReport") and _has_failed(told):
            attempt = self._open.get(str(told.get("nodeid")))
            if attempt is not None:
                attempt.forgiven = _is_forgiven(told, attempt)
                attempt.outcome = "failed"
                attempt.failure = attempt.failure or _failure(told.get("longrepr"), "call")

    def finish(self) -> None:
        """Says what the missing end of the log means."""
        if self._ended:
            return
        for attempt in self._open.values():
            attempt.outcome = None
        self.run.unfinished = "the log has no SessionFinish: pytest died, or still ran"

    def _uncollected(self, told: dict[str, Any]) -> None:
        node_id = text(told.get("nodeid"))
        if node_id is None or node_id in self._tests:
            return
        skipped = told.get("outcome") == "skipped"
        attempt = ForeignAttempt("skipped" if skipped else "error")
        if skipped:
            attempt.reason = _reason(told.get("longrepr"))
        else:
            attempt.failure = _failure(told.get("longrepr"), None)
        self._tests[node_id] = ForeignTest((node_id,), [attempt], node_id.partition("::")[0], collected=False)
        self.run.tests.append(self._tests[node_id])

    def _report(self, told: dict[str, Any]) -> None:
        node_id, phase = told["nodeid"], told.get("when")
        if phase not in _PHASES:
            if told.get("outcome") == "failed":  # so says xdist of a test whose worker died
                attempt = self._attempt(told, node_id, None)
                attempt.outcome, attempt.failure = "crashed", _failure(told.get("longrepr"), None)
                del self._open[node_id]
            return
        attempt = self._attempt(told, node_id, phase)
        took = duration_ms((duration_ms(told.get("duration")) or 0.0) * 1000)
        setattr(attempt, f"{phase}_ms", took)
        attempt.duration_ms = (attempt.duration_ms or 0.0) + (took or 0.0)
        self._tests[node_id].quarantine = read_quarantine(told.get(ENTRY)) or self._tests[node_id].quarantine
        _judge(attempt, told, phase)
        if attempt.failure is not None:
            attempt.failure.file = from_root(attempt.failure.file, self._tests[node_id].file)
        if attempt.outcome is None and phase == "teardown":
            attempt.outcome = "passed"
        attempt.output += _new_output(told, attempt)
        attempt.properties = _properties(told.get("user_properties"))
        stopped = moment_ms(told.get("stop"))
        if stopped is not None:
            self.run.ended_ms = max(self.run.ended_ms or 0.0, stopped)
        if phase == "teardown":
            self._open.pop(node_id, None)

    def _attempt(self, told: dict[str, Any], node_id: str, phase: str | None) -> ForeignAttempt:
        """The attempt that a report is about: a setup begins one."""
        attempt = self._open.get(node_id)
        if attempt is not None and phase != "setup":
            return attempt
        attempt = self._open[node_id] = ForeignAttempt(None, started_ms=moment_ms(told.get("start")))
        started = attempt.started_ms
        if started is not None:
            self.run.started_ms = min(started, self.run.started_ms or started)
        test = self._tests.get(node_id)
        if test is None:
            file, line = _location(told.get("location"))
            test = self._tests[node_id] = ForeignTest((node_id,), [], file, line)
            self.run.tests.append(test)
        test.attempts.append(attempt)
        return attempt


def _judge(attempt: ForeignAttempt, told: dict[str, Any], phase: str) -> None:
    """What a phase says of its attempt; the first bad word stands, and a failed call over a bad teardown."""
    outcome, was_expected = told.get("outcome"), "wasxfail" in told
    if _has_failed(told):
        attempt.forgiven = _is_forgiven(told, attempt)
        if attempt.outcome not in ("failed", "error"):
            attempt.outcome = "failed" if phase == "call" else "error"
            attempt.failure = _failure(told.get("longrepr"), phase)
    elif outcome == "skipped" and attempt.outcome is None:
        attempt.outcome = "xfailed" if was_expected else "skipped"
        attempt.reason = text(told.get("wasxfail")) if was_expected else _reason(told.get("longrepr"))
    elif outcome == "passed" and phase == "call" and attempt.outcome is None:
        attempt.outcome = "xpassed" if was_expected else "passed"


def _has_failed(told: dict[str, Any]) -> bool:
    """Whether a report is of a failure; one that does not count looks like one that was expected."""
    return told.get("outcome") in ("failed", "rerun") or told.get(FORGIVEN) is True


def _is_forgiven(told: dict[str, Any], attempt: ForeignAttempt) -> bool:
    """Whether neither this failure counts nor one of the attempt before it."""
    return read_quarantine(told.get(ENTRY)) is not None and (attempt.forgiven or attempt.outcome not in BAD_OUTCOMES)


def _failure(longrepr: object, phase: str | None) -> ForeignFailure:
    if isinstance(longrepr, str):
        return ForeignFailure(longrepr.strip().rpartition("\n")[2], stack=longrepr, phase=phase)
    found = mapping(longrepr)
    crash = mapping(found.get("reprcrash"))
    message = text(crash.get("message"))
    kind = message.partition(":")[0] if message and message.partition(":")[0].isidentifier() else None
    return ForeignFailure(message, kind, _stack(found), text(crash.get("path")), counted(crash.get("lineno")), phase)


def _stack(longrepr: dict[str, Any]) -> str | None:
    """The lines of the traceback; of a chain of exceptions all of them."""
    chain = longrepr.get("chain")
    traces = [mapping(link[0]) for link in chain if isinstance(link, list) and link] if isinstance(chain, list) else []
    lines = [line for trace in traces or [mapping(longrepr.get("reprtraceback"))] for line in _trace_lines(trace)]
    return "\n".join(lines) or None


def _trace_lines(trace: dict[str, Any]) -> Iterator[str]:
    for entry in objects(trace.get("reprentries")):
        content = mapping(entry.get("data"))
        lines = content.get("lines")
        yield from (str(line) for line in lines) if isinstance(lines, list) else ()
        place = mapping(content.get("reprfileloc"))
        if place:
            yield f"{place.get('path')}:{place.get('lineno')}: {place.get('message')}"


def _reason(longrepr: object) -> str | None:
    """``[file, line, "Skipped: why"]``, or a text."""
    reason = longrepr[2] if isinstance(longrepr, list) and len(longrepr) == 3 else longrepr
    return reason.removeprefix("Skipped: ") if isinstance(reason, str) else None


def _location(location: object) -> tuple[str | None, int | None]:
    if not isinstance(location, list) or len(location) < 2:
        return None, None
    return text(location[0]), counted(location[1], from_zero=True)


def _new_output(told: dict[str, Any], attempt: ForeignAttempt) -> list[ForeignOutput]:
    """``["Captured stdout call", text]``: each report has the sections of those before it, too."""
    known = {(output.stream, output.phase) for output in attempt.output}
    found = []
    for section in told["sections"] if isinstance(told.get("sections"), list) else ():
        if not isinstance(section, list) or len(section) != 2 or not all(isinstance(part, str) for part in section):
            continue
        words = section[0].split()
        is_captured = len(words) == 3 and words[0] == "Captured" and words[1] in _STREAMS and words[2] in _PHASES
        if is_captured and (words[1], words[2]) not in known:
            found.append(ForeignOutput(_STREAMS[words[1]], section[1], words[2]))
    return found


def _properties(value: object) -> list[tuple[str, str]]:
    pairs = value if isinstance(value, list) else []
    return [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list) and len(pair) == 2]

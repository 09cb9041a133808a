"""A run as a trace: what spans there are, when, and what they say. Pure; sending them is otel_sending.py's.

A span of the run, one of each suite, test, attempt, phase and step, each a child of the one before. Ids follow from the
id of the run and from what the span is about, so the trace of a run is the same one whenever it is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import msgspec

from semantest_recorder.plugins.arguments import Step

Which = Literal["all", "bad", "none"]
Value = str | int | float | bool
#: What texts are cut to, in characters; a stack trace is the only one that is read from its end.
_TEXT_MAX: Final = 4096
_STACK_MAX: Final = 32_768
#: The last moment that OpenTelemetry can tell, in nanoseconds.
_LAST_NS: Final = 2**63 - 1
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

#: ``test.case.result.status`` for each final state, exactly told by ``semantest.test.state``.
RESULTS: Final = {
    **dict.fromkeys(("passed", "xfailed", "xpassed", "flaky"), "pass"),
    **dict.fromkeys(("failed", "error", "crashed", "timeout", "interrupted", "lost"), "fail"),
    **dict.fromkeys(("skipped", "not_run"), "skip"),
}
#: ``cicd.pipeline.result`` and ``test.suite.run.status`` for each state of a run.
PIPELINE_RESULTS: Final = {
    "passed": "success",
    "failed": "failure",
    "cancelled": "cancellation",
    "interrupted": "cancellation",
    "timeout": "timeout",
}
SUITE_STATUS: Final = {
    "passed": "success",
    "failed": "failure",
    "cancelled": "aborted",
    "interrupted": "aborted",
    "timeout": "timed_out",
}


class _Part(msgspec.Struct, rename="camel"):
    pass


class _Error(_Part):
    message: str | None = None
    type: str | None = None
    stack: str | None = None


class _Attempt(_Part):
    attempt: int
    source: str
    worker: str = ""
    outcome: str | None = None
    started_ms: float | None = None
    duration_ms: float = 0.0
    phases: dict[str, float | None] = msgspec.field(default_factory=dict)
    error: _Error | None = None


class _Test(_Part):
    id: str
    state: str
    suite: str
    attempts: int = 0
    file: str | None = None
    line: int | None = None
    params: str | None = None
    reason: str | None = None
    quarantine: Any = None
    error: _Error | None = None
    attempts_detail: list[_Attempt] = msgspec.field(default_factory=list)


class _Suite(_Part):
    id: str
    failed: int = 0
    started_ms: float | None = None
    ended_ms: float | None = None


class _Run(_Part):
    id: str
    state: str
    name: str | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    exit_code: int | None = None
    git: dict[str, Any] | None = None
    ci: dict[str, Any] | None = None
    traceparent: str | None = None
    origin: str = "pytest"


class TracedRun(_Part):
    """What a trace is made of: a part of the report (docs/reference/report.schema.json)."""

    run: _Run
    counts: dict[str, int]
    tests: list[_Test]
    suites: list[_Suite] = msgspec.field(default_factory=list)


class Parent(NamedTuple):
    """The span somewhere else in which the run was started."""

    trace_id: int
    span_id: int
    flags: int


class Failed(NamedTuple):
    """An exception: type, message, stack trace; empty when not known."""

    type: str
    message: str
    stack: str


class Span(NamedTuple):
    """One span; times in nanoseconds since 1970. ``error``: what its status says, empty when it is no error."""

    span_id: int
    parent_id: int | None
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Value]
    error: str = ""
    exception: Failed | None = None


def read_run(report: Mapping[str, Any]) -> TracedRun:
    """A report as ``semantest report --json`` prints it. Raises ``msgspec.ValidationError`` for anything else."""
    return msgspec.convert(report, TracedRun)


def trace_id_of(run_id: str) -> int:
    """The id of the trace of a run, whenever and by whomever it is made."""
    return int.from_bytes(sha256(f"semantest run\0{run_id}".encode()).digest()[:16]) or 1


def parent_of(run: TracedRun) -> Parent | None:
    """The span in which pytest was started, when its environment said so by a valid TRACEPARENT."""
    found = _TRACEPARENT.fullmatch(run.run.traceparent or "")
    return None if found is None else Parent(int(found[1], 16), int(found[2], 16), int(found[3], 16))


def spans_of(run: TracedRun, steps: Iterable[Step], tests: Which = "all", most: int = 200_000) -> Iterator[Span]:
    """The spans of a run; its own comes last.

    ``tests``: of which ones there are spans, with their suites; ``bad`` are those that failed or needed several
    attempts. No more than ``most`` spans are made: the run's own tells it by ``semantest.spans.left_out``.
    """
    wanted = [test for test in run.tests if tests == "all" or (tests == "bad" and _is_bad(test))]
    return _Trace(run, wanted, steps).spans(most)


def _is_bad(test: _Test) -> bool:
    return RESULTS.get(test.state) == "fail" or test.attempts > 1


class _Trace:
    def __init__(self, run: TracedRun, tests: list[_Test], steps: Iterable[Step]) -> None:
        self._run = run
        self._tests = tests
        self._steps: dict[tuple[str, int, str], list[Step]] = {}
        for step in steps:
            self._steps.setdefault((step.test_id, step.attempt, step.source), []).append(step)
        self._start_ns = _ns(run.run.started_ms)
        self._end_ns = max(self._start_ns, _ns(run.run.ended_ms))
        self._root_id = self._id("run")

    def spans(self, most: int) -> Iterator[Span]:
        by_suite: dict[str, list[_Test]] = {}
        for test in self._tests:
            by_suite.setdefault(test.suite, []).append(test)
        known = {suite.id: suite for suite in self._run.suites}
        made, left_out = 1, 0
        for name, tests in by_suite.items():
            group: list[Span] = []
            for test in tests:
                found = self._of_test(test, self._id("suite", name))
                if made + len(found) + (not group) > most:
                    left_out += len(found)
                    continue
                made += len(found) + (not group)
                group += found
            if group:
                yield self._of_suite(known.get(name) or _Suite(name), tests, group)
                yield from group
        yield self._of_run(left_out)

    def _id(self, *parts: str | int) -> int:
        text = "\0".join(map(str, (self._run.run.id, *parts)))
        return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]) or 1

    def _of_run(self, left_out: int) -> Span:
        run, counts = self._run.run, self._run.counts
        told: dict[str, Value | None] = {
            "semantest.run.id": run.id,
            "semantest.run.state": run.state,
            "semantest.run.origin": run.origin,
            "semantest.run.exit_code": run.exit_code,
            "cicd.pipeline.result": PIPELINE_RESULTS.get(run.state, "error"),
            "test.suite.run.status": SUITE_STATUS.get(run.state, "in_progress"),
            **{f"semantest.run.tests.{state}": count for state, count in counts.items()},
            **_surroundings(run),
            "semantest.spans.left_out": left_out or None,
        }
        error = "" if run.state == "passed" else f"the run is {run.state}"
        name = _text(run.name or "pytest")
        return Span(self._root_id, None, name, self._start_ns, self._end_ns, _told(told), error)

    def _of_suite(self, suite: _Suite, tests: list[_Test], spans: list[Span]) -> Span:
        own_id = self._id("suite", suite.id)
        own = [span for span in spans if span.parent_id == own_id]
        start = _ns(suite.started_ms) or min(span.start_ns for span in own)
        end = max(start, _ns(suite.ended_ms) or max(span.end_ns for span in own))
        results = {RESULTS.get(test.state, "fail") for test in tests}
        bad = "fail" in results
        status = "failure" if bad else "success" if "pass" in results else "skipped"
        told = {"test.suite.name": _text(suite.id), "test.suite.run.status": status}
        error = "a test of it failed" if bad else ""
        return Span(own_id, self._root_id, _text(suite.id), start, end, _told(told), error)

    def _of_test(self, test: _Test, parent: int) -> list[Span]:
        """The span of a test, and those below it. One that never started has no length."""
        own = self._id("test", test.id)
        below: list[Span] = []
        start = end = self._end_ns
        for place, attempt in enumerate(test.attempts_detail):
            found = self._of_attempt(test, attempt, place, own)
            start = min(start, found[0].start_ns) if below else found[0].start_ns
            end = max(end, found[0].end_ns) if below else found[0].end_ns
            below += found
        result = RESULTS.get(test.state, "fail")
        told: dict[str, Value | None] = {
            "test.case.name": _text(test.id),
            "test.case.result.status": result,
            "test.suite.name": _text(test.suite),
            "code.file.path": _text(test.file),
            "code.line.number": test.line,
            "semantest.test.state": test.state,
            "semantest.test.attempts": test.attempts,
            "semantest.test.parameters": _text(test.params),
            "semantest.test.reason": _text(test.reason),
            "semantest.test.quarantined": test.quarantine is not None or None,
        }
        error = _first_line(test.error) or f"the test is {test.state}" if result == "fail" else ""
        return [Span(own, parent, _text(test.id), start, end, _told(told), error), *below]

    def _of_attempt(self, test: _Test, attempt: _Attempt, place: int, parent: int) -> list[Span]:
        own = self._id("attempt", test.id, place)
        start = self._start_ns if attempt.started_ms is None else _ns(attempt.started_ms)
        end = min(_LAST_NS, start + _ns(attempt.duration_ms))
        outcome = attempt.outcome or "unknown"
        told: dict[str, Value | None] = {
            "semantest.attempt.number": attempt.attempt,
            "semantest.attempt.outcome": outcome,
            "semantest.worker": attempt.worker,
            "semantest.source": attempt.source,
        }
        bad = RESULTS.get(outcome, "fail") == "fail"
        error = (_first_line(attempt.error) or f"the attempt is {outcome}") if bad else ""
        exception = _exception(attempt.error) if bad else None
        name = f"attempt {attempt.attempt}"
        spans = [Span(own, parent, name, start, end, _told(told), error, exception)]
        spans += self._of_phases(attempt, own, start)
        spans += self._of_steps(test, attempt, own, (start, end))
        return spans

    def _of_phases(self, attempt: _Attempt, parent: int, start: int) -> Iterator[Span]:
        """One after the other: of a phase only the duration is recorded."""
        for phase in ("setup", "call", "teardown"):
            taken = attempt.phases.get(phase)
            if taken is None:
                continue
            end = min(_LAST_NS, start + _ns(taken))
            yield Span(self._id("phase", parent, phase), parent, phase, start, end, {"semantest.phase": phase})
            start = end

    def _of_steps(self, test: _Test, attempt: _Attempt, parent: int, within: tuple[int, int]) -> Iterator[Span]:
        """Steps below the step that they are in, the others below the attempt."""
        ids: dict[str, int] = {}
        for place, step in enumerate(self._steps.get((test.id, attempt.attempt, attempt.source), ())):
            own = self._id("step", parent, place)
            start = within[0] if step.started_ms is None else _ns(step.started_ms)
            end = max(start, within[1] if step.ended_ms is None else _ns(step.ended_ms))
            told: dict[str, Value | None] = {"semantest.step.status": step.status}
            error = _text(step.error or "the step failed") if step.status == "failed" else ""
            yield Span(own, ids.get(step.parent_id, parent), _text(step.name), start, end, _told(told), error)
            ids.setdefault(step.step_id, own)


def _surroundings(run: _Run) -> dict[str, Value | None]:
    git, ci = run.git or {}, run.ci or {}
    return {
        "cicd.pipeline.name": _text(ci.get("jobId")),
        "cicd.pipeline.run.id": _text(ci.get("buildId")),
        "cicd.pipeline.run.url.full": _text(ci.get("buildUrl")),
        "vcs.ref.head.name": _text(ci.get("branch") or git.get("branch")),
        "vcs.ref.head.revision": _text(git.get("commit") or ci.get("commit")),
        "vcs.repository.url.full": _text(git.get("remote")),
        "vcs.change.id": _text(ci.get("pullRequest")),
    }


def _exception(error: _Error | None) -> Failed | None:
    if error is None:
        return None
    return Failed(_text(error.type), _text(error.message), _clean((error.stack or "")[-_STACK_MAX:]))


def _first_line(error: _Error | None) -> str:
    lines = (error.message or "").strip().splitlines() if error is not None else []
    return _text(lines[0]) if lines else ""


def _told(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    """Those that are known."""
    return {name: value for name, value in attributes.items() if value is not None and value != ""}


def _text(value: object) -> str:
    return _clean(value[:_TEXT_MAX]) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, for which the wire has no bytes."""
    return text.encode("utf-8", "replace").decode()


def _ns(milliseconds: float | None) -> int:
    """Nanoseconds; 0 for nothing and for what is before 1970."""
    if milliseconds is None or not milliseconds > 0:
        return 0
    return min(_LAST_NS, int(min(milliseconds, 1e13) * 1_000_000))

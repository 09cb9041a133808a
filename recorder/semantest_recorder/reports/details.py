"""What tests told of themselves, out of their events: steps as a tree, logs, attachments. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pytest_semantest.protocol.events import WORKER_STACK
from semantest_recorder.core.rows import TestEventRow
from semantest_recorder.reports.aggregate import PayloadOf, add_details, bad_tests
from semantest_recorder.reports.report import (
    AttachmentInfo,
    AttemptInfo,
    ErrorInfo,
    LogInfo,
    Report,
    StepInfo,
    TestInfo,
)

#: A test's id to where its events are.
EventsOf = Callable[[str], Sequence[TestEventRow]]
#: The SHA-256 of an artifact to where it is on disk, ``None`` when it is not here.
PlaceOf = Callable[[str], str | None]

#: The level of a log that holds the stacks of all threads, a line each.
STACKS = "stacks"
#: How many events of one test are read; those behind are counted.
_EVENTS_MAX = 5000
_DEPTH_MAX = 20
_NAMES = frozenset({"runId", "testId", "attempt", "stepId", "eventId", "metadata", "worker"})


def explain_bad_tests(report: Report, payload_of: PayloadOf, events_of: EventsOf, place_of: PlaceOf) -> None:
    """Fill in all that is known of tests that are not plainly green, as every report as JSON has it."""
    bad = [test.id for test in bad_tests(report)]
    add_details(report, payload_of, bad)
    add_events(report, events_of, payload_of, place_of, bad)


def add_events(
    report: Report, events_of: EventsOf, payload_of: PayloadOf, place_of: PlaceOf, test_ids: Iterable[str]
) -> None:
    """Fill in steps, logs and attachments of the attempts of ``test_ids``."""
    wanted = set(test_ids)
    for test in report.tests:
        if test.id in wanted:
            add_test_events(test, events_of, payload_of, place_of)


def add_test_events(test: TestInfo, events_of: EventsOf, payload_of: PayloadOf, place_of: PlaceOf) -> None:
    """The same for one test."""
    if test.attempts_detail:
        _Details(test, payload_of, place_of).take(events_of(test.id))


class _Details:
    def __init__(self, test: TestInfo, payload_of: PayloadOf, place_of: PlaceOf) -> None:
        self._attempts = test.attempts_detail
        self._payload_of = payload_of
        self._place_of = place_of
        self._open: dict[tuple[str, str], StepInfo] = {}
        #: Under which step, and how deep, the parts of a step go; by source and id, which is unique only there.
        self._steps: dict[tuple[str, str], tuple[StepInfo, int]] = {}

    def take(self, rows: Sequence[TestEventRow]) -> None:
        for row in rows[:_EVENTS_MAX]:
            payload = self._payload_of(row.source, row.seq)
            if payload is not None:
                self._event(row, self._attempt(row), payload)
        for row in rows[_EVENTS_MAX:]:
            self._attempt(row).events_left_out += 1

    def _attempt(self, row: TestEventRow) -> AttemptInfo:
        """The attempt that the event is about; what clients say beside it names only its number."""
        numbered = [attempt for attempt in self._attempts if attempt.attempt == row.attempt]
        own = [attempt for attempt in numbered if attempt.source == row.source]
        return (own or numbered or self._attempts)[-1]

    def _event(self, row: TestEventRow, attempt: AttemptInfo, payload: Mapping[str, Any]) -> None:
        if row.type == "test/step/start":
            self._open[row.source, _step(payload) or ""] = self._begin(row, attempt, payload)
        elif row.type == "test/step/end":
            self._end(row, attempt, payload)
        elif row.type == "test/log":
            message, data = _text(payload.get("message")) or "", payload.get("data")
            attempt.logs.append(LogInfo(_text(payload.get("level")) or "info", message, data, _step(payload), row.seq))
        elif row.type == WORKER_STACK:
            attempt.logs.append(_stacks(payload, row.seq))
        elif row.type in ("test/assertion", "test/assert"):
            attempt.logs.append(_assertion(payload, row.seq))
        elif row.type.startswith("custom/"):
            attempt.logs.append(LogInfo("event", row.type, _own(payload), _step(payload), row.seq))
        else:
            attempt.attachments.append(self._attachment(row, payload))

    def _begin(self, row: TestEventRow, attempt: AttemptInfo, payload: Mapping[str, Any]) -> StepInfo:
        step = StepInfo(_step(payload), _text(payload.get("name")) or "", "open", row.seq)
        parent, depth = self._steps.get((row.source, _text(payload.get("parentId")) or ""), (None, 0))
        (parent.steps if parent is not None else attempt.steps).append(step)
        if step.step_id is not None:
            # What is nested deeper than anybody reads stands beside its parent.
            known = (step, depth + 1) if parent is None or depth < _DEPTH_MAX else (parent, depth)
            self._steps[row.source, step.step_id] = known
        return step

    def _end(self, row: TestEventRow, attempt: AttemptInfo, payload: Mapping[str, Any]) -> None:
        step = self._open.pop((row.source, _step(payload) or ""), None)
        if step is None:  # its start is not there, or it never had one
            step = self._begin(row, attempt, payload)
        step.status = _text(payload.get("status")) or "passed"
        took = payload.get("duration")
        step.duration_ms = float(took) if isinstance(took, int | float) and not isinstance(took, bool) else None
        error = payload.get("error")
        if isinstance(error, Mapping):
            step.error = ErrorInfo(message=_text(error.get("message")), type=_text(error.get("type")))
        elif isinstance(error, str):
            step.error = ErrorInfo(message=error)

    def _attachment(self, row: TestEventRow, payload: Mapping[str, Any]) -> AttachmentInfo:
        picture, size = row.type == "test/screenshot", payload.get("size")
        # A client that says where a picture lies sent none: by a hash beside it the path would pass for a kept file's.
        sha256 = None if picture else _text(payload.get("sha256"))
        return AttachmentInfo(
            name=_text(payload.get("name")) or "",
            kind="screenshot" if picture else _text(payload.get("kind")) or "attachment",
            media_type=_text(payload.get("mediaType")),
            size=size if isinstance(size, int) and not isinstance(size, bool) else None,
            sha256=sha256,
            place=_text(payload.get("path")) if picture else self._place_of(sha256) if sha256 is not None else None,
            omitted=_text(payload.get("omitted")),
            step_id=_step(payload),
            seq=row.seq,
        )


def _stacks(payload: Mapping[str, Any], seq: int) -> LogInfo:
    """What the threads did when somebody asked."""
    problem = _text(payload.get("problem"))
    if problem is not None:
        return LogInfo(STACKS, f"cannot be told: {problem}", None, None, seq)
    return LogInfo(STACKS, f"when somebody asked:\n{_text(payload.get('text')) or ''}".rstrip(), None, None, seq)


def _assertion(payload: Mapping[str, Any], seq: int) -> LogInfo:
    """An assertion of a client as a line: failed ones are errors."""
    told = {name: payload[name] for name in ("operator", "expected", "actual") if name in payload}
    failed = payload.get("type") == "fail"
    message = f"assertion {'failed' if failed else 'passed'}: {_text(payload.get('message')) or ''}".rstrip(": ")
    return LogInfo("error" if failed else "info", message, told or None, _step(payload), seq)


def _own(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an event of somebody's own says, without what every event about a test has."""
    return {name: value for name, value in payload.items() if name not in _NAMES} or None


def _step(payload: Mapping[str, Any]) -> str | None:
    return _text(payload.get("stepId"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

"""What a commit means for the hooks of runs, suites and tests (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from pytest_semantest.protocol import events as types
from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.plugins.arguments import Run, Suite, Test, Told

#: States of a run after which nothing more is expected.
CLOSED: Final = frozenset({"passed", "failed", "cancelled", "interrupted", "timeout"})
#: What a lagging plugin is told all the same.
_OF_RUNS = frozenset({types.RUN_START})
_ENDS: Final = {types.TEST_PASSED: "passed", types.TEST_FAILED: "failed", types.TEST_SKIPPED: "skipped"}
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_HOOK_OF = {
    types.RUN_START: "before_test_run",
    types.SUITE_START: "before_suite",
    types.SUITE_END: "after_suite",
    types.TEST_START: "before_test",
    types.TEST_END: "after_test",
    **dict.fromkeys(_ENDS, "after_test"),
}

#: What a client says of suites is in those that the projection derives.
_SUITES: Final = frozenset({types.SUITE_START, types.SUITE_END})
_PLACE: Final = {types.RUN_START: 0, types.SUITE_START: 1, types.SUITE_END: 3}


class Notice(NamedTuple):
    """A hook that is to be called, and with what."""

    hook: str
    argument: Told


class Lifecycle:
    """Turns commits into notices; ``hooks`` are those that somebody implements."""

    def __init__(self, hooks: frozenset[str]) -> None:
        self._kinds = {kind for kind, hook in _HOOK_OF.items() if hook in hooks}
        self._started: dict[str, None] = {}

    def notices(self, verdict: Committed) -> Iterator[Notice]:
        """The hooks of a commit; ends of runs are told elsewhere, when they are certain.

        Starts of runs come first, then starts of suites, tests in the order of their events, and ends of suites.
        """
        kinds = self._kinds
        own = [event for event in verdict.fresh if event.type in kinds and event.type not in _SUITES]
        found = own + [event for event in verdict.derived if event.type in kinds]
        if len(found) > 1:
            found.sort(key=lambda event: _PLACE.get(event.type, 2))
        for event in found:
            yield from self._of(event, verdict)

    def _of(self, event: RawEvent, verdict: Committed) -> Iterator[Notice]:
        try:
            payload = _decode(event.payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return
        hook = _HOOK_OF[event.type]
        if hook == "before_test_run":
            if verdict.run_id not in self._started:
                self._remember(verdict.run_id)
                yield Notice(hook, _run(event, payload, verdict))
        elif hook in ("before_suite", "after_suite"):
            yield Notice(hook, _suite(event, payload, verdict))
        elif isinstance(payload.get("testId"), str):
            yield Notice(hook, _test(event, payload, verdict))

    def _remember(self, run_id: str) -> None:
        """One run may have many sessions, each with a start."""
        self._started[run_id] = None
        while len(self._started) > 1000:
            del self._started[next(iter(self._started))]


def of_runs_only(verdict: Committed) -> Committed:
    """A commit without what is left out when plugins lag behind: suites and tests."""
    kept = [event for event in verdict.fresh if event.type in _OF_RUNS]
    return msgspec.structs.replace(verdict, fresh=kept, derived=[])


def run_of_summary(run_id: str, summary: Mapping[str, Any], *, again: bool) -> Run:
    """The argument of ``after_test_run``; keys of the summary that ``Run`` has not are passed over."""
    known = {field.encode_name: field.name for field in msgspec.structs.fields(Run)}
    given = {known[key]: value for key, value in summary.items() if key in known and value is not None}
    return Run(**{**given, "run_id": run_id, "again": again})


def _run(event: RawEvent, payload: Mapping[str, Any], verdict: Committed) -> Run:
    labels = payload.get("labels")
    return Run(
        run_id=verdict.run_id,
        name=_text(payload.get("name")),
        start_time=event.timestamp,
        labels={str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
    )


def _suite(event: RawEvent, payload: Mapping[str, Any], verdict: Committed) -> Suite:
    suite_id = _text(payload.get("suiteId")) or ""
    return Suite(
        run_id=verdict.run_id,
        suite_id=suite_id,
        suite_name=_text(payload.get("suiteName")) or suite_id,
        timestamp=event.timestamp,
        duration=_number(payload.get("duration")),
        total_tests=_count(payload.get("totalTests")),
        passed_tests=_count(payload.get("passedTests")),
        failed_tests=_count(payload.get("failedTests")),
        skipped_tests=_count(payload.get("skippedTests")),
    )


def _test(event: RawEvent, payload: dict[str, Any], verdict: Committed) -> Test:
    test_id = str(payload["testId"])
    outcome = _text(payload.get("outcome"))
    status = "running" if event.type == types.TEST_START else _ENDS.get(event.type, _text(payload.get("status")) or "")
    if not status:
        status = types.WIRE_STATUS.get(outcome or "", "running")
    error = payload.get("error")
    return Test(
        run_id=verdict.run_id,
        test_id=test_id,
        test_name=_text(payload.get("testName")) or test_id,
        attempt=_count(payload.get("attempt")) or 1,
        worker=_text(payload.get("worker")) or verdict.worker,
        source=verdict.source,
        timestamp=event.timestamp,
        status=status,
        outcome=outcome if event.type != types.TEST_START else None,
        duration=_number(payload.get("duration")),
        error=error if isinstance(error, dict) else None,
        will_retry=payload.get("willRetry") is True,
        payload=payload,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else 0

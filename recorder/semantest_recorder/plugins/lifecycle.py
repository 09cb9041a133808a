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

_PLACE: Final = {types.RUN_START: 0, types.SUITE_START: 1, types.SUITE_END: 3}


class Notice(NamedTuple):
    """A hook that is to be called, and with what."""

    hook: str
    argument: Told


class ToldOnce:
    """What is told once although several say it: a run has many sessions, and of a suite clients and the projection.

    Bounded in runs and in suites of all of them; what was said longest ago is forgotten.
    """

    def __init__(self, most_runs: int = 1000, most_suites: int = 200_000) -> None:
        self._most_runs, self._most_suites = most_runs, most_suites
        self._runs: dict[str, set[int]] = {}
        self._suites = 0

    def run(self, run_id: str) -> bool:
        """Whether this is the first word of the run's start."""
        return self._is_new(run_id, hash(("before_test_run", run_id)))

    def suite(self, run_id: str, hook: str, suite_id: str) -> bool:
        """Whether this is the first word of the suite's start, or of its end."""
        return self._is_new(run_id, hash((hook, suite_id)))  # its hash: clients choose how long an id is

    def _is_new(self, run_id: str, said: int) -> bool:
        known = self._runs.setdefault(run_id, set())
        if said in known:
            return False
        known.add(said)
        self._suites += 1
        while len(self._runs) > self._most_runs or self._suites > self._most_suites:
            self._suites -= len(self._runs.pop(next(iter(self._runs))))
        return True


class Lifecycle:
    """Turns commits into notices; ``hooks`` are those that somebody implements, ``told`` outlives a change of these."""

    def __init__(self, hooks: frozenset[str], told: ToldOnce) -> None:
        self._kinds = {kind for kind, hook in _HOOK_OF.items() if hook in hooks}
        self._told = told

    def notices(self, verdict: Committed) -> Iterator[Notice]:
        """The hooks of a commit; ends of runs are told elsewhere, when they are certain.

        Starts of runs come first, then starts of suites, tests in the order of their events, and ends of suites.
        """
        kinds = self._kinds
        found = [event for event in (*verdict.fresh, *verdict.derived) if event.type in kinds]
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
            if self._told.run(verdict.run_id):
                yield Notice(hook, _run(event, payload, verdict))
        elif hook in ("before_suite", "after_suite"):
            suite_id = payload.get("suiteId")
            if isinstance(suite_id, str) and self._told.suite(verdict.run_id, hook, suite_id):
                yield Notice(hook, _suite(event, payload, verdict))
        elif isinstance(payload.get("testId"), str):
            yield Notice(hook, _test(event, payload, verdict))


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

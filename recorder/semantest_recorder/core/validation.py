"""What a one-off event must look like (PROTOCOL, Events): the envelope, what its type requires, its content (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from semantest_recorder.core.content_scan import suspicious_fields
from semantest_recorder.core.policy import Policy, TypeRules

#: How far the time of a live event may be off, in milliseconds.
CLOCK_TOLERANCE_MS: Final = 5 * 60 * 1000.0
#: Reported of one event at most.
_PROBLEMS_MAX = 50
#: How long an id or a name may be that a client says, in characters.
NAME_MAX: Final = 4096
STATUSES: Final = ("pending", "running", "passed", "failed", "skipped")


class Problem(msgspec.Struct):
    """Something that is wrong with an event: where, what, and a code for programs."""

    field: str
    message: str
    code: str


class Requirement(NamedTuple):
    """What a type requires of its payload."""

    field: str
    code: str
    message: str
    holds: Callable[[Any], bool]


class Metrics(msgspec.Struct, rename="camel"):
    """What the validator has seen."""

    total_validations: int = 0
    valid_events: int = 0
    invalid_events: int = 0
    rejections: dict[str, int] = msgspec.field(default_factory=dict)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= NAME_MAX


def _is_near(at: float, now_ms: float) -> bool:
    """Also of a whole number that no float can hold."""
    return 0 <= at <= 1e15 and abs(at - now_ms) <= CLOCK_TOLERANCE_MS


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


_TEST_ID = Requirement("testId", "MISSING_TEST_ID", "names its test", _is_name)
_SUITE_ID = Requirement("suiteId", "MISSING_SUITE_ID", "names its suite", _is_name)
_CLIENT_ID = Requirement("clientId", "MISSING_CLIENT_ID", "names its client", _is_name)
_RUN_ID = Requirement("runId", "MISSING_RUN_ID", "names its run", _is_name)

REQUIREMENTS: Final[Mapping[str, tuple[Requirement, ...]]] = {
    "test/start": (_TEST_ID, Requirement("testName", "MISSING_TEST_NAME", "names its test for people", _is_name)),
    "test/end": (
        _TEST_ID,
        Requirement("status", "MISSING_TEST_STATUS", f"is one of {', '.join(STATUSES)}", STATUSES.__contains__),
        Requirement("duration", "INVALID_DURATION", "is a number of milliseconds, at least 0", _is_duration),
    ),
    "test/passed": (_TEST_ID,),
    "test/failed": (_TEST_ID,),
    "test/skipped": (_TEST_ID,),
    "test/suite/start": (
        _SUITE_ID,
        Requirement("suiteName", "MISSING_SUITE_NAME", "names its suite for people", _is_name),
    ),
    "test/suite/end": (_SUITE_ID,),
    "test/assertion": (_TEST_ID,),
    "test/assert": (_TEST_ID,),
    "test/screenshot": (_TEST_ID, Requirement("name", "MISSING_NAME", "names the picture", _is_name)),
    "test/attachment": (_TEST_ID,),
    "test/log": (_TEST_ID, Requirement("message", "MISSING_MESSAGE", "says something", lambda v: isinstance(v, str))),
    "test/step/start": (
        _TEST_ID,
        Requirement("stepId", "MISSING_STEP_ID", "names its step", _is_name),
        Requirement("name", "MISSING_NAME", "names its step for people", _is_name),
    ),
    "test/step/end": (_TEST_ID, Requirement("stepId", "MISSING_STEP_ID", "names its step", _is_name)),
    "run/start": (_RUN_ID,),
    "run/plan": (_RUN_ID,),
    "run/end": (_RUN_ID,),
    "system/client/connect": (
        _CLIENT_ID,
        Requirement("clientType", "MISSING_CLIENT_TYPE", "is cli, browser, sdk or server", _is_name),
    ),
    "system/client/disconnect": (_CLIENT_ID,),
}


class EventValidator:
    """Checks one-off events against a policy, and counts."""

    def __init__(self, policy: Policy) -> None:
        self.metrics = Metrics()
        self.update(policy)

    def update(self, policy: Policy) -> None:
        """From now on this policy holds."""
        self._policy = policy
        self._rules = TypeRules(policy)

    def validate(self, event: object, size: int, now_ms: float) -> list[Problem]:
        """What is wrong with an event of ``size`` bytes; nothing for a good one."""
        problems = self._problems(event, size, now_ms)[:_PROBLEMS_MAX]
        metrics = self.metrics
        metrics.total_validations += 1
        if problems:
            metrics.invalid_events += 1
            for code in {problem.code for problem in problems}:
                metrics.rejections[code] = metrics.rejections.get(code, 0) + 1
        else:
            metrics.valid_events += 1
        return problems

    def _problems(self, event: object, size: int, now_ms: float) -> list[Problem]:
        if size > self._policy.max_event_size:
            limit = self._policy.max_event_size
            return [Problem("size", f"the event has {size} bytes, {limit} are allowed", "EVENT_TOO_LARGE")]
        if not isinstance(event, Mapping):
            return [Problem("type", "an event is an object with id, type, timestamp and payload", "MISSING_TYPE")]
        problems = [*self._envelope(event, now_ms), *_payload(event)]
        if self._policy.scan_content:
            problems += [
                Problem(field, "the text looks like an injection", "SUSPICIOUS_CONTENT")
                for field in islice(suspicious_fields(event, ""), _PROBLEMS_MAX)
            ]
        return [Problem(found.field.removeprefix("."), found.message, found.code) for found in problems]

    def _envelope(self, event: Mapping[str, Any], now_ms: float) -> list[Problem]:
        problems = []
        kind, at, identity = event.get("type"), event.get("timestamp"), event.get("id")
        if not _is_name(identity) and not (isinstance(identity, int) and not isinstance(identity, bool)):
            problems.append(Problem("id", "an event has an id", "MISSING_ID"))
        if not isinstance(kind, str) or not kind:
            problems.append(Problem("type", "an event has a type", "MISSING_TYPE"))
        else:
            code = self._rules.refuse(kind)
            if code is not None:
                problems.append(Problem("type", f"events of type {kind[:200]} are not let in", code))
        if at is None:
            problems.append(
                Problem("timestamp", "an event has a timestamp, in milliseconds since 1970", "MISSING_TIMESTAMP")
            )
        elif isinstance(at, bool) or not isinstance(at, int | float) or not _is_near(at, now_ms):
            text = "the timestamp is milliseconds since 1970 and at most 5 minutes off"
            problems.append(Problem("timestamp", text, "INVALID_TIMESTAMP"))
        return problems


def _payload(event: Mapping[str, Any]) -> list[Problem]:
    kind, payload = event.get("type"), event.get("payload")
    required = REQUIREMENTS.get(kind, ()) if isinstance(kind, str) else ()
    held = payload if isinstance(payload, Mapping) else {}
    return [
        Problem(f"payload.{wanted.field}", f"{kind}: {wanted.field} {wanted.message}", wanted.code)
        for wanted in required
        if not wanted.holds(held.get(wanted.field))
    ]

"""What happens in a run as short lines, the newest ones: for whoever watches it (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from pytest_semantest.protocol import events as types
from semantest_recorder.core.batch import RawEvent

#: Lines that are kept.
LINES: Final = 100
_TEXT_MAX: Final = 300


class LogLine(NamedTuple):
    """``state``: of the test or run that it tells of, else empty; ``words`` say what happened to ``test_id``."""

    time_ms: float
    worker: str
    state: str
    words: str
    test_id: str | None


class _Told(msgspec.Struct, rename="camel"):
    """The fields of which lines are made; nobody vouches for their types."""

    test_id: Any = None
    worker: Any = None
    outcome: Any = None
    status: Any = None
    attempt: Any = None
    will_retry: Any = None
    message: Any = None
    name: Any = None
    level: Any = None
    reason: Any = None
    phase: Any = None
    total: Any = None
    stop_reason: Any = None
    category: Any = None
    problem: Any = None


_decode = msgspec.json.Decoder(_Told).decode
#: Types of which nothing is told: their beginning or end is.
_QUIET: Final = frozenset(
    {
        types.SHIPPER_START,
        types.RUN_CONTEXT,
        types.RUN_LEFT_OUT,
        types.RUN_EXPECT,
        "test/step/start",
        types.TEST_SUBTEST,
    }
)
_WORDS: Final[Mapping[str, str]] = {
    types.RUN_START: "the run begins",
    types.WORKER_START: "the worker is ready",
    types.WORKER_END: "the worker has ended",
    types.RUN_END: "the run has ended",
    types.RUN_SELECTION: "tests were selected",
    types.COLLECT_ERROR: "cannot be collected",
    types.JOURNAL_GAP: "records cannot be read",
    "test/attachment": "attached",
    "test/screenshot": "took a picture",
}


class LiveLog:
    """The last lines. Events are kept as they came and read when somebody looks: of thousands most are never shown."""

    def __init__(self) -> None:
        self._events: deque[tuple[str, RawEvent]] = deque(maxlen=LINES)
        #: How many were taken in all.
        self.taken = 0

    def take(self, worker: str, events: Iterable[RawEvent]) -> None:
        """Events of a source, as they were committed."""
        for event in events:
            if event.type not in _QUIET:
                self._events.append((worker, event))
                self.taken += 1

    def since(self, taken: int, most: int = LINES) -> list[LogLine]:
        """The lines behind the first ``taken``, oldest first, as far as they are kept; of more the last ``most``."""
        new = min(self.taken - max(taken, 0), len(self._events), most)
        return [line_of(worker, event) for worker, event in list(self._events)[len(self._events) - new :]]


def line_of(worker: str, event: RawEvent) -> LogLine:
    """The line of one event; one that nobody knows is told by its type."""
    try:
        told = _decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        told = _Told()
    state, words = _words(event.type, told)
    test_id = told.test_id if isinstance(told.test_id, str) else None
    where = _text(told.worker) or worker
    return LogLine(event.timestamp, where[:_TEXT_MAX], state, words[:_TEXT_MAX], test_id)


def _words(kind: str, told: _Told) -> tuple[str, str]:
    if kind == types.TEST_START:
        again = told.attempt if isinstance(told.attempt, int) and told.attempt > 1 else None
        return "running", f"starts, attempt {again}" if again else "starts"
    if kind == types.TEST_END:
        state = _text(told.outcome) or _text(told.status) or "ended"
        return state, f"{state}, and is tried again" if told.will_retry is True else state
    if kind == types.TEST_PHASE:
        outcome = _text(told.outcome)
        return (
            ("running", f"is in {_text(told.phase)}") if not outcome else (outcome, f"{outcome} in {_text(told.phase)}")
        )
    if kind == types.RUN_PLAN:
        return "", f"{told.total} tests are planned" if isinstance(told.total, int) else "tests are planned"
    if kind == types.WORKER_CRASH:
        return "crashed", f"died: {_text(told.reason)}"
    if kind == types.RUN_CANCEL:
        return "cancelled", f"the run is cancelled: {_text(told.reason)}"
    if kind == types.WORKER_STACK:
        return "", f"no stacks: {_text(told.problem)}" if told.problem else "its stacks were written"
    said = _text(told.message) or _text(told.name) or _text(told.reason) or _text(told.stop_reason)
    words = _WORDS.get(kind, kind)
    return "", f"{words}: {said}" if said else words


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

"""What each test logged last, as long as it may log more: a secret may go on in the next ``test/log``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from pytest_semantest.protocol import events as types
from pytest_semantest.protocol.identity import source_name
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins.event import Event

#: How much is kept, in characters, and of how many tests.
KEPT: Final = 2048
TESTS_MAX: Final = 2000
_TEST_ENDS = frozenset({types.TEST_END, types.TEST_PASSED, types.TEST_FAILED, types.TEST_SKIPPED})
#: With these a process logs no more, whatever became of its tests.
_SOURCE_ENDS = frozenset({types.RUN_END, types.WORKER_END, types.WORKER_CRASH})


class _About(msgspec.Struct, rename="camel"):
    test_id: Any = None


_about = msgspec.json.Decoder(_About).decode


class _Key(NamedTuple):
    """In little room, however long the ids are that clients choose."""

    run: int
    test: int


class _Tail(NamedTuple):
    source: int
    text: str


class LogTails:
    """Bounded; of the test that logged longest ago nothing is known first."""

    def __init__(self) -> None:
        self._tails: OrderedDict[_Key, _Tail] = OrderedDict()

    def follow(self, event: Event, payload: dict[str, Any], message: str) -> str:
        """The end of what the test had logged before this ``message``, which is kept now."""
        key = _key(event, payload)
        before = self._tails.pop(key, None)
        text = before.text if before is not None else ""
        self._tails[key] = _Tail(hash(event.source), (text + message)[-KEPT:])
        if len(self._tails) > TESTS_MAX:
            self._tails.popitem(last=False)
        return text

    def end(self, event: Event) -> None:
        """Forgets the test that ends with this event, or all tests of the process that does."""
        if not self._tails:
            return
        if event.type in _TEST_ENDS:
            self._tails.pop(_key(event, event.payload), None)
        elif event.type in _SOURCE_ENDS:
            ended = hash(_source_that_ends(event))
            for key in [key for key, tail in self._tails.items() if tail.source == ended]:
                del self._tails[key]

    def end_in(self, events: Sequence[RawEvent]) -> bool:
        """Whether one of these events may be for ``end``."""
        if not self._tails:
            return False
        ends = [event for event in events if event.type in _TEST_ENDS]
        tests = {key.test for key in self._tails} if ends else set()
        return any(_test(event) in tests for event in ends) or any(event.type in _SOURCE_ENDS for event in events)


def _key(event: Event, payload: dict[str, Any]) -> _Key:
    run = str(payload.get("runId") or event.run_id or event.source)
    return _Key(hash(run), hash(str(payload.get("testId"))))


def _test(event: RawEvent) -> int:
    try:
        return hash(str(_about(event.payload).test_id))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return hash(str(None))


def _source_that_ends(event: Event) -> str:
    """A crash is told by another process."""
    if event.type != types.WORKER_CRASH:
        return event.source
    session = event.payload.get("session") or event.source.rpartition(".")[0]
    return source_name(str(session), str(event.payload.get("worker")))

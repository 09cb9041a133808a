"""What happens in a run as short lines."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.live_log import LINES, LiveLog, line_of

_JSON = st.recursive(
    st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def event(kind: str, **payload: Any) -> RawEvent:
    return RawEvent(kind, 1000.0, msgspec.Raw(msgspec.json.encode(payload)))


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        (event("test/start", testId="t", attempt=1), "running", "starts"),
        (event("test/start", testId="t", attempt=2), "running", "starts, attempt 2"),
        (event("test/end", testId="t", outcome="failed", willRetry=True), "failed", "failed, and is tried again"),
        (event("test/end", testId="t", status="passed"), "passed", "passed"),
        (event("test/phase", testId="t", phase="call"), "running", "is in call"),
        (event("test/phase", testId="t", phase="setup", outcome="error"), "error", "error in setup"),
        (event("run/plan", total=7), "", "7 tests are planned"),
        (event("worker/crash", worker="gw1", reason="killed by SIGKILL"), "crashed", "died: killed by SIGKILL"),
        (event("worker/stack", worker="gw1", text="..."), "", "its stacks were written"),
        (event("test/log", testId="t", message="hello"), "", "test/log: hello"),
        (event("custom/own"), "", "custom/own"),
    ],
)
def test_each_event_in_words(told: RawEvent, state: str, words: str) -> None:
    assert line_of("gw0", told)[2:4] == (state, words)


@given(payload=_JSON, kind=st.sampled_from(["test/start", "test/end", "run/plan", "worker/crash", "any"]))
def test_whatever_a_client_says_is_a_line(payload: object, kind: str) -> None:
    line = line_of("main", RawEvent(kind, 0.0, msgspec.Raw(msgspec.json.encode(payload))))
    assert isinstance(line.words, str)
    assert line.test_id is None or isinstance(line.test_id, str)


def test_the_last_lines_are_kept_and_told_once() -> None:
    log = LiveLog()
    log.take("main", [event("custom/x", name=str(number)) for number in range(LINES + 5)])
    assert [line.words for line in log.since(0)][:2] == ["custom/x: 5", "custom/x: 6"]
    assert [line.words for line in log.since(0, 1)] == ["custom/x: 104"]
    before = log.taken
    assert log.since(before) == []
    log.take("main", [event("custom/x", name="last"), event("run/context")])
    assert [line.words for line in log.since(before)] == ["custom/x: last"]

"""What subscribers see of a commit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.core.publishing import published


def event(kind: str, payload: object, timestamp: float = 1.5) -> RawEvent:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return RawEvent(kind, timestamp, msgspec.Raw(text))


def seen(verdict: Committed, *types: str) -> list[dict[str, Any]]:
    frames = [json.loads(p.frame) for p in published(verdict, lambda kind: not types or kind in types)]
    assert all(frame["type"] == "event" and frame["id"] == frame["payload"]["id"] for frame in frames)
    return [frame["payload"] for frame in frames]


def test_events_are_enriched_and_named_by_source_and_seq() -> None:
    fresh = [
        event("test/start", {"testId": "a.py::TestX::test_y[1]", "testName": "test_y[1]"}, 1_763_683_200_000.123),
        event("run/end", {}),
    ]
    first, second = seen(Committed("s.gw0", 8, "r1", "gw0", fresh))
    assert first == {
        "id": "s.gw0:7",
        "type": "test/start",
        "timestamp": 1_763_683_200_000.123,
        "payload": {
            "testId": "a.py::TestX::test_y[1]",
            "testName": "test_y[1]",
            "runId": "r1",
            "worker": "gw0",
            "suiteId": "a.py::TestX",
            "suiteName": "a.py::TestX",
        },
    }
    assert (second["id"], second["payload"]) == ("s.gw0:8", {"runId": "r1", "worker": "gw0"})


def test_an_event_s_own_fields_win() -> None:
    own = {"testId": "a.py::t", "worker": "gw1", "runId": None, "suiteId": "S", "suiteName": "N"}
    (seen_event,) = seen(Committed("s.main", 1, "r1", "main", [event("worker/crash", own)]))
    assert seen_event["payload"] == own


def test_only_what_somebody_wants_is_encoded() -> None:
    verdict = Committed("s.main", 3, "r", "main", [event("a", {}), event("b", {}), event("a", {})])
    assert [e["id"] for e in seen(verdict, "a")] == ["s.main:1", "s.main:3"]


def test_suite_events_stand_where_a_reader_expects_them() -> None:
    fresh = [event("test/start", {"testId": f"a.py::t{n}"}, 10.0 + n) for n in range(2)]
    fresh += [event("test/end", {"testId": "a.py::t1"}, 20.0), event("test/start", {"testId": "b.py::t"}, 30.0)]
    derived = [
        event("test/suite/start", {"suiteId": "a.py", "suiteName": "a.py"}, 10.0),
        event("test/suite/end", {"suiteId": "a.py"}, 20.0),
        event("test/suite/start", {"suiteId": "b.py", "suiteName": "b.py"}, 30.0),
    ]
    order = seen(Committed("s.main", 4, "r", "main", fresh, derived))
    assert [(e["type"], e["payload"].get("suiteId")) for e in order] == [
        ("test/suite/start", "a.py"),
        ("test/start", "a.py"),
        ("test/start", "a.py"),
        ("test/end", "a.py"),
        ("test/suite/end", "a.py"),
        ("test/suite/start", "b.py"),
        ("test/start", "b.py"),
    ]
    assert len({e["id"] for e in order}) == 7


@pytest.mark.hazard(35)
@pytest.mark.timeout(20)
def test_many_suites_in_a_batch_are_put_in_order_in_linear_time() -> None:
    """Each event compared with each suite that waits would take minutes."""
    count = 20_000
    fresh = [event("custom/x", b"{}", float(n)) for n in range(count)]
    derived = [event("test/suite/start", b"{}", float(n)) for n in range(count)]
    derived += [event("test/suite/end", b"{}", float(n)) for n in range(count)]
    verdict = Committed("s.main", count, "r", "main", fresh, derived)
    order = [one.type for one in published(verdict, lambda _kind: True)]
    middle = ["test/suite/start", "test/suite/end", "custom/x"] * (count - 1)
    assert order == ["test/suite/start", "custom/x", *middle, "test/suite/end"]


_TIMES = st.lists(st.floats(0, 5).map(round), max_size=6)


@given(
    _TIMES,
    st.lists(st.tuples(st.sampled_from(["test/suite/start", "test/suite/end", "x"]), st.floats(0, 5).map(round))),
)
def test_each_suite_event_stands_before_the_first_event_that_follows_from_it(
    times: list[int], suites: list[tuple[str, int]]
) -> None:
    fresh = [event("custom/x", {}, float(at)) for at in times]
    derived = [event(kind, {}, float(at)) for kind, at in suites]
    expected, waiting = list[str](), list(enumerate(suites, 1))
    for seq, time in enumerate(times, 1):
        due = [n for n, (kind, at) in waiting if (kind, at <= time) == ("test/suite/start", True)]
        due += [n for n, (kind, at) in waiting if (kind, at < time) == ("test/suite/end", True)]
        waiting = [(n, suite) for n, suite in waiting if n not in due]
        expected += [f"s.main:{len(times)}:{n}" for n in sorted(due)] + [f"s.main:{seq}"]
    expected += [f"s.main:{len(times)}:{n}" for n, _suite in waiting]
    assert [e["id"] for e in seen(Committed("s.main", len(times), "r", "main", fresh, derived))] == expected


def test_messages_are_made_one_by_one() -> None:
    asked = list[str]()

    def wanted(kind: str) -> bool:
        asked.append(kind)
        return True

    messages = published(Committed("s.main", 2, "r", "main", [event("a", {}), event("b", {})]), wanted)
    assert asked == []
    next(messages)
    assert asked == ["a"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("testId"), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON, st.booleans())
def test_any_payload_is_published_with_nothing_of_its_own_changed(payload: Any, spaced: bool) -> None:
    text = json.dumps(payload, indent=2 if spaced else None).encode()
    (found,) = seen(Committed("s", 1, "r", "w", [event("x", text)]))
    if isinstance(payload, dict):
        assert {key: found["payload"][key] for key in payload} == payload
        assert found["payload"]["runId"] == payload.get("runId", "r")
    else:
        assert found["payload"] == payload

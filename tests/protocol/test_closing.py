from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.closing import JournalDigest, OpenTest, SourceFacts, closing_events, type_of
from pytest_semantest.protocol.record import encode_status


def body(kind: str, timestamp: float = 0.0, **payload: Any) -> bytes:
    return json.dumps({"type": kind, "timestamp": timestamp, "payload": payload}, separators=(",", ":")).encode()


def facts(worker: str = "main", **more: Any) -> SourceFacts:
    given: dict[str, Any] = {"source": f"s.{worker}", "worker": worker, "run_id": "r", "ended": False, "alive": False}
    return SourceFacts(**(given | more))


RUNNING = OpenTest("test_a.py::test_x", attempt=2, started_ms=1000.0, seq=7)


def test_a_dead_main_is_told_with_its_test_and_the_run_ends_behind_it() -> None:
    source = facts(pid=42, open_test=RUNNING, phase="call", died_ms=3500.5, last_output=(("stdout", "so far"),))
    crash, end = closing_events([source], now_ms=9000.0)
    assert crash == {
        "type": "worker/crash",
        "timestamp": 3500.5,
        "payload": {
            "runId": "r",
            "worker": "main",
            "source": "s.main",
            "reason": "process 42 died",
            "testId": "test_a.py::test_x",
            "attempt": 2,
            "phase": "call",
            "elapsed": 2500.5,
            "lastOutput": [{"stream": "stdout", "text": "so far"}],
        },
    }
    assert end["type"] == "run/end"
    assert end["payload"]["exitCode"] is None
    assert end["payload"]["interrupted"] is True
    assert end["payload"]["stopReason"] == "pytest (process 42) died while test_a.py::test_x was running"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([facts(alive=True)], []),
        ([facts(ended=True)], []),
        ([facts(crash_told=True)], ["run/end"]),
        ([facts(), facts("gw0", alive=True)], ["worker/crash main"]),
        ([facts(), facts("gw0", ended=True)], ["worker/crash main", "run/end"]),
        (
            [facts(), facts("gw0"), facts("gw1")],
            ["worker/crash gw0", "worker/crash gw1", "worker/crash main", "run/end"],
        ),
        ([facts(alive=True), facts("gw0")], ["worker/crash gw0"]),
        ([facts(ended=True), facts("gw0")], ["worker/crash gw0"]),
        ([facts("gw0")], ["worker/crash gw0"]),
    ],
)
def test_who_is_closed(sources: list[SourceFacts], expected: list[str]) -> None:
    told = [f"{event['type']} {event['payload'].get('worker', '')}".strip() for event in closing_events(sources, 0.0)]
    assert told == expected


def test_what_was_told_is_not_told_again() -> None:
    assert closing_events([facts(crash_told=True)], 0.0, run_end_told=True) == []


def test_the_time_of_a_death_nobody_saw_is_the_last_sign_of_life_and_never_in_the_future() -> None:
    assert closing_events([facts(last_sign_ms=100.0)], 500.0)[0]["timestamp"] == 100.0
    assert closing_events([facts(last_sign_ms=900.0)], 500.0)[0]["timestamp"] == 500.0
    assert closing_events([facts()], 500.0)[0]["timestamp"] == 500.0


def test_a_digest_knows_the_open_test_and_its_phase_only_from_a_slot() -> None:
    digest = JournalDigest()
    digest.observe(1, body("worker/start", 10.0, runId="r", pid=5))
    digest.observe(2, body("test/start", 20.0, testId="a", attempt=1, timeout=500))
    digest.observe(3, body("test/end", 30.0, testId="a", attempt=1))
    digest.observe(4, body("test/start", 40.0, testId="b", attempt=3))
    assert digest.open_test == OpenTest("b", 3, 40.0, 4, None)
    assert (digest.started_ms, digest.last_event_ms, digest.text("runId")) == (10.0, 40.0, "r")
    known: dict[str, Any] = {"source": "s.gw0", "worker": "gw0", "alive": False}
    assert digest.facts(**known, status=encode_status(4, "teardown")).phase == "teardown"
    assert digest.facts(**known, status=encode_status(2, "teardown")).phase == "setup"
    assert digest.facts(**known).phase is None
    assert digest.facts(**known, last_sign_ms=90.0).last_sign_ms == 90.0
    digest.observe(5, body("worker/end", 50.0, worker="gw0", exitCode=0))
    assert digest.facts(**known).ended
    assert digest.end["exitCode"] == 0


def test_parsed_events_tell_the_same_as_their_bytes() -> None:
    by_bytes, by_event = JournalDigest(), JournalDigest()
    for seq, kind in enumerate(("run/start", "test/start"), 1):
        by_bytes.observe(seq, body(kind, 5.0, testId="a", runId="r"))
        by_event.feed(seq, {"type": kind, "timestamp": 5.0, "payload": {"testId": "a", "runId": "r"}})
    assert by_bytes.open_test == by_event.open_test
    assert by_bytes.start == by_event.start


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b'{"type":"run/start"',
                    b'{"type":"run/start","timestamp":NaN,"payload":[]}',
                    b'{"type":"test/start","payload":1}',
                    b'{"type":"test/start","timestamp":Infinity,"payload":{"timeout":NaN,"attempt":true}}',
                    b'{"type":"run/end"}',
                    b"[" * 5000,
                ]
            ),
        ),
        max_size=8,
    )
)
def test_a_digest_takes_whatever_a_journal_holds_and_its_closing_is_json(bodies: list[bytes]) -> None:
    digest = JournalDigest()
    for seq, data in enumerate(bodies, 1):
        digest.observe(seq, data)
    closing = closing_events([digest.facts(source="s.main", worker="main", alive=False)], 1.0)
    json.dumps(closing, allow_nan=False)


def test_the_type_is_read_off_the_first_bytes() -> None:
    assert type_of(body("test/start")) == "test/start"
    assert type_of(b'{"payload":{},"type":"test/start"}') == ""
    assert type_of(b'{"type":"' + b"x" * 100) == ""

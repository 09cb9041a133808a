"""The session as a state machine: who may say what, what is admitted, and what is answered when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.core.batch import Committed, Refused
from semantest_recorder.core.effects import Close, Ingest, Query, Subscribed, Supersede
from semantest_recorder.core.ownership import HOLDER_SOURCES_MAX
from semantest_recorder.core.session import Limits
from tests.recorder.session.talk import NOW, NewTalk, Talk, events, sent


def test_the_recorder_speaks_first(talk: Talk) -> None:
    (effect,) = talk.session.open()
    event = sent(effect)
    assert (event["type"], event["payload"]["type"]) == ("event", "system.connected")
    assert event["payload"]["payload"] == {"clientId": "c1", "protocolVersion": 1, "serverVersion": "1.2.3"}
    assert event["id"]
    assert event["timestamp"] == NOW


# -- batches -----------------------------------------------------------------------------------------------


def test_a_batch_goes_to_the_writer_untouched_and_its_commit_is_acknowledged(talk: Talk) -> None:
    (effect,) = talk.say(events(first_seq=3, count=2))
    assert isinstance(effect, Ingest)
    assert (effect.batch.source, effect.batch.first_seq, effect.batch.received_ms) == ("s.main", 3, NOW)
    assert [json.loads(bytes(e.payload))["testId"] for e in effect.batch.events] == ["a.py::test_x"] * 2
    assert talk.session.unacked_bytes > 0
    (answer,) = talk.session.verdict(Committed("s.main", 4), NOW)
    ack = sent(answer)
    assert (ack["type"], ack["source"], ack["seq"]) == ("ack", "s.main", 4)
    assert talk.session.unacked_bytes == 0


@pytest.mark.hazard(20)
def test_no_more_is_acknowledged_than_the_batch_brought_though_another_sender_brought_more(talk: Talk) -> None:
    talk.say(events(first_seq=1, count=2))
    talk.say(events(first_seq=3, count=2))
    acks = [sent(effect) for _ in range(2) for effect in talk.session.verdict(Committed("s.main", 900), NOW)]
    assert [(ack["type"], ack["seq"]) for ack in acks] == [("ack", 2), ("ack", 4)]


def test_a_refused_batch_is_answered_with_its_code_and_what_is_expected(talk: Talk) -> None:
    talk.say(events(first_seq=9))
    (answer,) = talk.session.verdict(Refused("s.main", "SEQ_GAP", "a hole", expected=4), NOW)
    error = sent(answer)
    assert (error["type"], error["code"], error["message"]) == ("error", "SEQ_GAP", "a hole")
    assert error["details"] == {"source": "s.main", "expected": 4}
    assert error["payload"] == {"code": "SEQ_GAP", "message": "a hole", "details": error["details"]}


@pytest.mark.parametrize(
    "message",
    [
        events(source=""),
        events(source="a\nb"),
        events(source="x" * 201),
        events(first_seq=0),
        events(first_seq=-1),
        events(first_seq=2**53),
        events(first_seq=10**30),
        events(count=0),
    ],
)
def test_a_batch_that_cannot_be_one_is_refused(talk: Talk, message: dict[str, Any]) -> None:
    error = talk.ask(message)
    assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
    assert talk.session.unacked_bytes == 0


def test_a_batch_larger_than_what_may_ever_wait_is_refused(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_pending_events=3))
    assert talk.ask(events(count=4))["code"] == "INVALID_MESSAGE"
    assert isinstance(talk.say(events(count=3))[0], Ingest)


@pytest.mark.parametrize("given", ["x" * 1001, ["x" * 500] * 2, 10**1000], ids=["text", "list", "number"])
@pytest.mark.parametrize(
    "message", [{"type": "request", "method": "echo"}, {"type": "getStatistics"}, {"type": "ping"}, events()]
)
def test_a_message_with_a_very_long_id_is_refused_without_saying_it(
    talk: Talk, message: dict[str, Any], given: object
) -> None:
    (effect,) = talk.say({**message, "id": given})
    error = sent(effect)
    assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
    assert len(json.dumps(error)) < 500
    assert talk.ask({"id": "x" * 500, "type": "ping"})["id"] == "x" * 500


# -- limits delay ------------------------------------------------------------------------------------------


def test_a_full_writer_throttles_and_takes_nothing(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_pending_events=10))
    talk.pending_events = 9
    throttle = talk.ask(events(count=2))
    assert throttle["type"] == "throttle"
    assert (throttle["source"], throttle["credit"]) == ("s.main", 1)
    assert throttle["retryAfterMs"] >= 50
    assert talk.session.unacked_bytes == 0
    talk.pending_events = 8
    assert isinstance(talk.say(events(count=2))[0], Ingest)


def test_a_client_that_claims_sources_without_end_has_to_wait(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_pending_events=10))
    talk.pending_events = 10
    for number in range(HOLDER_SOURCES_MAX):
        talk.say(events(f"s{number}.main"))
    talk.pending_events = 0
    throttle = talk.ask(events("another.main"))
    assert (throttle["type"], throttle["source"], throttle["credit"]) == ("throttle", "another.main", 0)
    talk.session.close()
    assert isinstance(new_talk().say(events("another.main"))[0], Ingest)


def test_what_follows_a_throttled_batch_is_held_until_that_comes_again(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_pending_events=10))
    talk.pending_events = 10
    assert talk.ask(events(first_seq=1, count=2))["type"] == "throttle"
    talk.pending_events = 0
    assert talk.ask(events(first_seq=3, count=2))["type"] == "throttle"
    assert isinstance(talk.say(events("s.gw0"))[0], Ingest), "another source is not held"
    assert isinstance(talk.say(events(first_seq=1, count=2))[0], Ingest)
    assert isinstance(talk.say(events(first_seq=3, count=2))[0], Ingest)


def test_an_ack_beyond_the_throttled_batch_lets_its_successor_in(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_pending_events=10))
    talk.say(events(first_seq=1, count=2))
    talk.pending_events = 10
    assert talk.ask(events(first_seq=1, count=2))["type"] == "throttle", "sent twice, the first is still in flight"
    talk.pending_events = 0
    talk.session.verdict(Committed("s.main", 2), NOW)
    assert isinstance(talk.say(events(first_seq=3))[0], Ingest)


def test_too_much_unacknowledged_on_one_connection_throttles_it_alone(new_talk: NewTalk) -> None:
    size = len(json.dumps(events()))
    limits = Limits(max_unacked_bytes=size + 1)
    greedy, other = new_talk(limits=limits), new_talk(limits=limits)
    assert isinstance(greedy.say(events())[0], Ingest)
    assert greedy.ask(events(first_seq=2))["type"] == "throttle"
    assert isinstance(other.say(events("t.main"))[0], Ingest)
    greedy.session.verdict(Committed("s.main", 1), NOW)
    assert isinstance(greedy.say(events(first_seq=2))[0], Ingest)


def test_one_frame_above_the_byte_limit_is_taken_when_nothing_else_is_in_flight(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_unacked_bytes=10))
    assert isinstance(talk.say(events())[0], Ingest)


# -- sources -----------------------------------------------------------------------------------------------


def test_another_process_may_not_send_a_source_until_its_connection_closes(new_talk: NewTalk) -> None:
    first, second = new_talk(), new_talk()
    first.say(events())
    error = second.ask(events(first_seq=2))
    assert (error["code"], error["details"]) == ("SOURCE_IN_USE", {"source": "s.main"})
    first.session.close()
    assert isinstance(second.say(events(first_seq=2))[0], Ingest)


def test_the_same_process_takes_its_source_over(new_talk: NewTalk) -> None:
    old, new = new_talk(instance="p"), new_talk(instance="p")
    old.say(events())
    superseding, ingest = new.say(events(first_seq=2))
    assert superseding == Supersede("c1")
    assert isinstance(ingest, Ingest)
    assert old.session.verdict(Committed("s.main", 1), NOW), "what the old one had in flight still settles"


def test_a_closed_session_is_silent_and_still_settles(talk: Talk) -> None:
    talk.say(events())
    talk.session.close()
    assert talk.say({"type": "ping"}) == []
    assert talk.session.verdict(Committed("s.main", 1), NOW) == []
    assert talk.session.unacked_bytes == 0


# -- order -------------------------------------------------------------------------------------------------


def test_a_request_is_answered_after_the_batches_before_it_and_not_after_those_behind_it(talk: Talk) -> None:
    talk.say(events(first_seq=1))
    assert talk.say({"id": 1, "type": "request", "method": "echo", "payload": "one"}) == []
    talk.say(events(first_seq=2))
    assert talk.say({"id": 2, "type": "request", "method": "echo", "payload": "two"}) == []
    first = [sent(e) for e in talk.session.verdict(Committed("s.main", 1), NOW)]
    second = [sent(e) for e in talk.session.verdict(Committed("s.main", 2), NOW)]
    assert [(m["type"], m.get("payload")) for m in first] == [("ack", None), ("response", "one")]
    assert [(m["type"], m.get("payload")) for m in second] == [("ack", None), ("response", "two")]


def test_requests_that_wait_are_bounded(new_talk: NewTalk) -> None:
    talk = new_talk(limits=Limits(max_waiting_requests=2))
    talk.say(events())
    request = {"type": "request", "method": "echo"}
    assert talk.say(request) == []
    assert talk.say(request) == []
    assert talk.ask(request)["payload"]["code"] == "RATE_LIMITED"


# -- requests ----------------------------------------------------------------------------------------------


def test_server_info(talk: Talk) -> None:
    response = talk.ask({"id": "q1", "type": "request", "method": "server.info"})
    assert (response["type"], response["requestId"], response["success"]) == ("response", "q1", True)
    assert response["payload"] == {
        "serverVersion": "1.2.3",
        "protocolVersion": 1,
        "oldestProtocol": 1,
        "startedMs": NOW - 5000,
        "uptimeMs": 5000.0,
        "version": "1.2.3",
        "uptime": 5.0,
        "limits": {
            "maxPendingEvents": 50_000,
            "maxUnackedBytes": 64 * 1024 * 1024,
            "maxWaitingRequests": 256,
            "maxFrameBytes": 16 * 1024 * 1024,
        },
    }


def test_server_health_is_asked_of_the_shell(talk: Talk) -> None:
    (query,) = talk.say({"id": [1, "x"], "type": "request", "method": "server.health"})
    assert isinstance(query, Query)
    assert query.name == "server.health"
    (answer,) = talk.session.answer({"status": "ok"}, NOW)
    response = sent(answer)
    assert (response["requestId"], response["success"], response["payload"]) == ([1, "x"], True, {"status": "ok"})


def test_client_info(new_talk: NewTalk) -> None:
    talk = new_talk(ANONYMOUS)
    talk.say({"type": "subscribe", "payload": {"eventTypes": ["test/*"]}})
    payload = talk.ask({"type": "request", "method": "client.info"})["payload"]
    assert payload["clientId"] == "c1"
    assert payload["roles"] == ["ingest", "read"]
    assert payload["subscriptions"] == ["test/*"]
    assert payload["agent"] == "tests/1"


def test_echo_gives_the_payload_back(talk: Talk) -> None:
    payload = {"a": [1, 2.5, None, "ü"], "b": {}}
    assert talk.ask({"id": 7, "type": "request", "method": "echo", "payload": payload})["payload"] == payload


def test_the_method_may_stand_in_the_payload(talk: Talk) -> None:
    assert talk.ask({"id": 7, "type": "request", "payload": {"method": "echo"}})["success"] is True


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "request", "method": "fly"}, "METHOD_NOT_FOUND"),
        ({"type": "request", "method": ""}, "METHOD_NOT_FOUND"),
        ({"type": "request"}, "INVALID_MESSAGE"),
        ({"type": "request", "payload": {"method": 5}}, "INVALID_MESSAGE"),
    ],
)
def test_a_request_that_cannot_be_answered(talk: Talk, message: dict[str, Any], code: str) -> None:
    response = talk.ask({"id": "q"} | message)
    assert (response["type"], response["requestId"], response["success"]) == ("response", "q", False)
    assert response["payload"]["code"] == code
    assert response["payload"]["message"]


def test_ping(talk: Talk) -> None:
    pong = talk.ask({"id": "p1", "type": "ping", "payload": {"n": 1}})
    assert (pong["type"], pong["id"], pong["payload"]) == ("pong", "p1", {"n": 1})
    assert talk.say({"type": "pong"}) == []


# -- subscriptions -----------------------------------------------------------------------------------------


def test_subscribe_and_unsubscribe(talk: Talk) -> None:
    changed, response = talk.say({"id": 1, "type": "subscribe", "payload": {"eventTypes": ["test/*", "run/end"]}})
    assert changed == Subscribed()
    assert sent(response)["payload"] == {"subscribed": ["test/*", "run/end"]}
    assert talk.session.subscription.matches("test/start")
    changed, response = talk.say({"id": 2, "type": "unsubscribe", "payload": {"eventTypes": ["test/*"]}})
    assert changed == Subscribed()
    assert sent(response)["payload"] == {"unsubscribed": ["test/*"]}
    assert not talk.session.subscription.matches("test/start")
    assert talk.session.subscription.matches("run/end")


def test_a_pattern_that_means_nothing_is_no_subscription(talk: Talk) -> None:
    response = talk.ask({"id": 1, "type": "subscribe", "payload": {"eventTypes": ["t*st"]}})
    assert response["success"] is False
    assert response["payload"]["code"] == "INVALID_PATTERN"


# -- nonsense ----------------------------------------------------------------------------------------------


def test_an_unknown_message_type_is_an_error_and_the_connection_lives(talk: Talk) -> None:
    error = talk.ask({"type": "teleport"})
    assert (error["code"], error["message"]) == ("UNKNOWN_TYPE", "unknown message type 'teleport'")
    assert talk.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize(
    "frame", ["", "no json", "[1]", '{"type":"ping","payload":NaN}', b'{"type":"ping","payload":NaN}']
)
def test_nonsense_is_an_error_and_the_connection_lives(talk: Talk, frame: str | bytes) -> None:
    (effect,) = talk.session.receive(frame, NOW, 0)
    assert sent(effect)["code"] == "INVALID_MESSAGE"
    assert talk.ask({"type": "ping"})["type"] == "pong"


def test_a_binary_frame_is_read_when_it_is_utf_8_and_closes_with_1007_otherwise(talk: Talk) -> None:
    (effect,) = talk.session.receive('{"id":"ü","type":"ping"}'.encode(), NOW, 0)
    assert sent(effect)["id"] == "ü"
    (effect,) = talk.session.receive(b'{"type":"\xff"}', NOW, 0)
    assert effect == Close(1007, "frames are UTF-8")
    assert talk.say({"type": "ping"}) == []

"""What the policy refuses, marks and slows down, and whom it lets in."""

from __future__ import annotations

import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
import websocket

from semantest_recorder.core.active_runs import IMPLICIT_RUNS_MAX
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.validation import EventValidator
from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import Client, RunningServer, batch, records_of_test, run_start
from tests.recorder.server.saying import now_ms, passing, request, say

NewServer = Callable[..., RunningServer]


def test_a_refused_event_names_all_its_problems_and_the_connection_lives(server: RunningServer) -> None:
    client = server.connect()
    client.send({"type": "event", "payload": {"type": "test/end", "payload": {"testId": "", "duration": -1}}})
    error = client.receive()
    assert (error["type"], error["code"]) == ("error", "VALIDATION_ERROR")
    assert {problem["code"] for problem in error["details"]} == {
        *("MISSING_ID", "MISSING_TIMESTAMP", "MISSING_TEST_ID", "MISSING_TEST_STATUS", "INVALID_DURATION"),
    }
    assert all(set(problem) == {"field", "message", "code"} for problem in error["payload"]["details"])
    say(client, "test/log", {"testId": "t", "message": "<script>alert(1)</script>"})
    assert [p["code"] for p in client.receive()["details"]] == ["SUSPICIOUS_CONTENT"]
    say(client, "test/end", {"testId": "t", "status": "failed", "duration": 1, "error": {"message": "window.x is"}})
    metrics = request(client, "getSecurityMetrics")
    assert (metrics["totalValidations"], metrics["validEvents"], metrics["invalidEvents"]) == (3, 1, 2)
    assert metrics["rejections"]["SUSPICIOUS_CONTENT"] == 1
    verdict = client.ask({"type": "validateEvent", "payload": {"type": "x"}})
    assert (verdict["type"], verdict["payload"]["valid"]) == ("validationResult", False)


def test_a_refusal_names_what_was_refused(server: RunningServer) -> None:
    client = server.connect()
    server.stands_ms = now_ms()
    wrong = {"id": "ev1", "type": "test/start", "timestamp": now_ms(), "payload": {}}
    for message_id, event in (("m1", wrong), (7, {**wrong, "id": 8})):
        refused = client.ask({"id": message_id, "type": "event", "payload": event})
        assert (refused["requestId"], refused["eventId"]) == (message_id, event["id"])
        assert refused["payload"]["eventId"] == event["id"]
    bad = client.ask({"type": "event", "payload": {"id": {"not": "a name"}, "type": "x", "timestamp": 1}})
    assert not {"requestId", "eventId"} & set(bad)
    server.stands_ms += 2000
    client.send({"type": "updatePolicy", "payload": {"maxEventsPerSecond": 1}})
    for number in (1, 2):
        say(client, "custom/x", {}, id=f"e{number}")
    assert client.until("error")["eventId"] == "e2"
    client.send({"type": "updatePolicy", "payload": {"maxEventsPerSecond": 1000}})
    say(client, "custom/x", {}, id="e3")
    assert client.until("policy")["payload"]["maxEventsPerSecond"] == 1000
    assert client.ask({"type": "ping"})["type"] == "pong", "taken: the policy holds for what comes behind it"


def test_the_policy_changes_while_clients_are_connected(server: RunningServer) -> None:
    client = server.connect()
    server.stands_ms = now_ms()
    changed = request(client, "updatePolicy", {"blockedEventTypes": ["custom/*"], "maxEventsPerSecond": 3})
    assert changed["blockedEventTypes"] == ["custom/*"]
    say(client, "custom/x", {})
    assert client.receive()["details"][0]["code"] == "EVENT_TYPE_BLOCKED"
    for _ in range(3):
        say(client, "test/log", {"testId": "t", "message": "m"})
    limited = client.receive()
    assert (limited["code"], limited["details"]["retryAfterMs"] > 0) == ("RATE_LIMITED", True)
    server.stands_ms += limited["details"]["retryAfterMs"]
    say(client, "test/log", {"testId": "t", "message": "the fourth"})
    assert client.ask({"type": "ping"})["type"] == "pong", "taken"
    wrong = client.ask({"type": "updatePolicy", "payload": {"maxEventPerSecond": 1}})
    assert "did you mean maxEventsPerSecond?" in wrong["message"]


@pytest.mark.hazard(28)
def test_a_shipper_over_its_rate_waits_and_loses_nothing(server: RunningServer) -> None:
    client = server.connect()
    server.stands_ms = now_ms()
    request(client, "updatePolicy", {"maxEventsPerSecond": 100})
    events = [run_start("p"), *(record for number in range(100) for record in records_of_test(number))]
    assert client.ask(batch(1, events[:101]))["type"] == "ack", "more than the limit fits into an empty window"
    throttled = client.ask(batch(102, events[101:]))
    assert (throttled["type"], throttled["retryAfterMs"] > 0) == ("throttle", True)
    assert client.ask(batch(102, events[101:]))["type"] == "throttle", "no time has passed"
    server.stands_ms += throttled["retryAfterMs"]
    assert client.ask(batch(102, events[101:]))["type"] == "ack"
    assert len(Reader(server.database).results("p")) == 100


@pytest.mark.hazard(28)
def test_at_ten_times_its_rate_a_client_is_delayed_and_no_other_one(server: RunningServer) -> None:
    rude, polite = server.connect(), server.connect()
    server.stands_ms = now_ms()
    request(rude, "updatePolicy", {"maxEventsPerSecond": 100})
    events = [run_start("p"), *(record for number in range(500) for record in records_of_test(number))]
    others = [run_start("q", session="t"), *(record for number in range(40) for record in records_of_test(number))]
    assert rude.ask(batch(1, events[:1]))["type"] == "ack"
    acked, throttled, own = 1, 0, 0
    while acked < len(events):
        answer = rude.ask(batch(acked + 1, events[acked : acked + 100]))
        if answer["type"] == "ack":
            acked = answer["seq"]
            continue
        throttled += 1
        assert polite.ask(batch(own + 1, others[own : own + 4], "t.main"))["seq"] == own + 4
        assert polite.ask({"type": "ping"})["type"] == "pong"
        own += 4
        server.stands_ms += answer["retryAfterMs"]
    assert throttled >= 9
    reader = Reader(server.database)
    assert [row.state for row in reader.results("p")] == ["passed"] * 500
    assert reader.sources("q")[0].last_seq == own


def test_shipped_events_are_marked_or_leave_a_tombstone_where_single_ones_are_refused(server: RunningServer) -> None:
    client = server.connect()
    request(client, "updatePolicy", {"blockedEventTypes": ["custom/*", "test/start"]})
    suspicious = {"type": "test/log", "timestamp": now_ms(), "payload": {"testId": "t", "message": "<script>"}}
    blocked = {"type": "custom/secret", "timestamp": now_ms(), "payload": {"value": "do not keep"}}
    events = [run_start("p"), suspicious, blocked, *records_of_test(1)]
    assert client.ask(batch(1, events))["seq"] == 5
    assert client.ask(batch(1, events))["seq"] == 5, "sent again, it is recognised"
    reader = Reader(server.database)
    assert reader.payload("s.main", 2) == suspicious["payload"]
    assert reader.payload("s.main", 3) == {"type": "custom/secret", "reason": "EVENT_TYPE_BLOCKED"}
    assert [row.state for row in reader.results("p")] == ["passed"], "what a run consists of is never dropped"


def test_a_client_that_makes_up_a_run_for_each_event_is_told_so(server: RunningServer) -> None:
    client = server.connect()
    for number in range(IMPLICIT_RUNS_MAX):
        say(client, "test/start", {"testId": "t", "testName": "t", "runId": f"r{number}"})
    say(client, "test/start", {"testId": "t", "testName": "t", "runId": "one more"})
    refused = client.until("error")
    assert (refused["payload"]["code"], "say the runId of one" in refused["payload"]["message"]) == (
        "TOO_MANY_RUNS",
        True,
    )
    assert request(client, "startTestRun", {"runId": "asked for"})["status"] == "running"
    assert len(request(client, "getActiveRuns")) == IMPLICIT_RUNS_MAX + 1
    passing(client, "t", runId="r1")
    assert request(client, "endTestRun", {"runId": "r1"})["state"] == "passed"
    passing(client, "t", runId="one more")
    assert request(client, "getRunStatus", {"runId": "one more"})["passedTests"] == 1


def test_no_client_makes_others_pay_for_its_words(server: RunningServer) -> None:
    client = server.connect()
    for message in (
        {"type": "ping", "payload": "x" * 100_000},
        {"type": "echo", "payload": "x" * 100_000},
        {"type": "subscribe", "payload": {"eventTypes": ["a"] * 100_000}},
        {
            "type": "event",
            "payload": {"id": 1, "type": "test/skipped", "timestamp": now_ms(), "payload": {"testId": "t" * 5000}},
        },
    ):
        refused = client.ask(message)
        assert refused.get("code") or not refused["success"], message["type"]
    server.stands_ms = now_ms()
    request(client, "updatePolicy", {"maxEventsPerSecond": 2})
    server.stands_ms += 2000
    for number in range(2):
        assert client.ask({"type": "startTestRun", "payload": {"runId": f"r{number}"}})["type"] == "testRunStarted"
    limited = client.ask({"type": "startTestRun", "payload": {"runId": "r2"}})
    assert (limited["code"], limited["details"]["retryAfterMs"] > 0) == ("RATE_LIMITED", True)


def test_a_policy_that_lets_a_client_in_no_more_ends_its_connection(serve: NewServer) -> None:
    server = serve(anonymous=True)
    url = f"ws://127.0.0.1:{server.port}/ws"
    stranger, owner = Client(url, []), server.connect()
    assert request(stranger, "client.info")["name"] == "anonymous"
    request(owner, "updatePolicy", {"requireAuthentication": True})
    server.call(server.hub.keep_time)
    assert stranger.close_code() == 1008
    with pytest.raises(websocket.WebSocketBadStatusException, match="401"):
        Client(url, [])
    assert request(owner, "getSecurityMetrics")["accessDenied"] >= 2
    assert request(owner, "client.info")["name"] == "owner"


def test_the_policy_holds_for_every_route(serve: NewServer) -> None:
    server = serve(anonymous=True)
    address = f"http://127.0.0.1:{server.port}/readyz-not"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address)
    request(server.connect(), "updatePolicy", {"requireAuthentication": True})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)


@pytest.mark.hazard(27)
def test_an_event_of_many_items_below_a_long_name_costs_no_memory_to_judge() -> None:
    event = {"id": "1", "type": "x", "timestamp": 1.0, "payload": {"k" * 50_000: ["<script>"] * 4000}}
    tracemalloc.start()
    problems = EventValidator(Policy()).validate(event, 100, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(problems) == 50
    assert peak < 10_000_000


def test_a_number_that_no_float_holds_is_no_timestamp(server: RunningServer) -> None:
    client = server.connect()
    client.send(f'{{"type":"event","payload":{{"id":"1","type":"x","timestamp":1{"0" * 400},"payload":{{}}}}}}')
    assert client.receive()["details"][0]["code"] == "INVALID_TIMESTAMP"


def test_a_run_id_that_is_no_name_is_refused(server: RunningServer) -> None:
    client = server.connect()
    for run_id in ("x" * 151, "a\nb", "\0", "n\n", "\x9b31m"):
        say(client, "custom/x", {"runId": run_id})
        assert client.receive()["code"] == "INVALID_MESSAGE"
        assert client.ask({"type": "startTestRun", "payload": {"runId": run_id}})["code"] == "INVALID_MESSAGE"
    say(client, "custom/x", {"runId": "last"})
    assert request(client, "getRunStatus", {"runId": "last"})["runId"] == "last"

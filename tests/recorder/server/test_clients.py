"""What clients without a journal do: start runs, say events, ask, be limited and be refused (PROTOCOL)."""

from __future__ import annotations

import sqlite3
import time
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import websocket

from semantest_recorder.core.active_runs import IMPLICIT_RUNS_MAX
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.validation import EventValidator
from semantest_recorder.server.replaying import Replay
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.status import Status
from tests.recorder.server.running import Client, RunningServer, batch, records_of_test, run_start, wait_until

NewServer = Callable[..., RunningServer]


def now_ms() -> float:
    return time.time() * 1000


def say(client: Client, kind: str, payload: object, **more: Any) -> None:
    event = {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": now_ms(), "payload": payload, **more}
    client.send({"id": "m1", "type": "event", "timestamp": now_ms(), "payload": event})


def request(client: Client, method: str, payload: object = None) -> Any:
    answer = client.ask({"id": "q", "type": "request", "method": method, "payload": payload})
    assert answer["type"] == "response", answer
    assert answer["success"], answer
    return answer["payload"]


def pass_time(server: RunningServer, ms: float) -> None:
    """What is due so much later is done now."""

    def submit() -> None:
        for due in server.hub.runs.due(now_ms() + ms, server.hub.attendance.attended()):
            server.hub.submit(due, None)

    server.call(submit)


def passing(client: Client, test_id: str, **more: Any) -> None:
    say(client, "test/start", {"testId": test_id, "testName": test_id, **more})
    say(client, "test/end", {"testId": test_id, "status": "passed", "duration": 3, **more})


def test_a_run_from_start_to_end_as_the_original_clients_say_it(server: RunningServer) -> None:
    client = server.connect()
    started = client.ask({"type": "startTestRun", "payload": {"runId": "r1", "name": "Nightly", "tags": ["smoke"]}})
    assert started["type"] == "testRunStarted"
    assert (started["payload"]["status"], started["payload"]["name"]) == ("running", "Nightly")
    say(client, "test/suite/start", {"suiteId": "login", "suiteName": "Login", "totalTests": 2})
    passing(client, "t1", suiteId="login")
    say(client, "test/start", {"testId": "t2", "testName": "t2", "suiteId": "login"})
    say(client, "test/log", {"testId": "t2", "level": "info", "message": "hello", "data": {"n": 1}})
    say(client, "test/screenshot", {"testId": "t2", "name": "shot", "path": "/tmp/shot.png"})
    say(client, "test/attachment", {"testId": "t2", "name": "page", "kind": "screenshot", "sha256": "a" * 64})
    say(client, "test/assertion", {"testId": "t2", "type": "fail", "message": "1 is not 2"})
    error = {"message": "1 is not 2", "stack": "at x", "code": "E42"}
    failed = {"testId": "t2", "status": "failed", "duration": 5, "error": error}
    say(client, "test/end", failed)
    say(client, "test/suite/end", {"suiteId": "login"})
    active = client.ask({"type": "getActiveRuns"})
    assert (active["type"], [run["runId"] for run in active["payload"]]) == ("activeRuns", ["r1"])
    ended = client.ask({"id": 5, "type": "endTestRun", "payload": {"runId": "r1"}})
    assert (ended["type"], ended["id"]) == ("testRunEnded", 5)
    status = ended["payload"]
    assert (status["status"], status["state"]) == ("completed", "failed")
    counts = ("totalSuites", "completedSuites", "totalTests", "completedTests", "passedTests", "failedTests")
    assert [status[name] for name in counts] == [1, 1, 2, 2, 1, 1]
    assert client.ask({"type": "getActiveRuns"})["payload"] == []
    results = client.ask({"type": "getTestResultsByRun", "payload": {"runId": "r1"}})["payload"]["results"]
    assert [(r["testId"], r["suiteId"], r["status"], r["duration"]) for r in results] == [
        ("t1", "login", "passed", 3.0),
        ("t2", "login", "failed", 5.0),
    ]
    assert results[1]["assertions"] == {"passed": 0, "failed": 1, "total": 1}
    (log,) = results[1]["logs"]
    assert (log["level"], log["message"], log["data"], log["timestamp"] > 0) == ("info", "hello", {"n": 1}, True)
    error = results[1]["error"]
    assert (error["message"], error["stack"], error["code"]) == ("1 is not 2", "at x", "E42")
    assert results[1]["screenshots"] == ["/tmp/shot.png", f"/api/v1/artifacts/{'a' * 64}"]
    row = Reader(server.database).run("r1")
    assert (row.state, row.facts["config"]["tags"]) == ("failed", ["smoke"])


def test_the_same_commands_as_requests(server: RunningServer) -> None:
    client = server.connect()
    assert request(client, "startTestRun", {"runId": "r1"})["status"] == "running"
    passing(client, "t1")
    assert request(client, "getRunStatus", {"runId": "r1"})["passedTests"] == 1
    assert request(client, "endTestRun", {"runId": "r1"})["state"] == "passed"
    statistics = request(client, "getStatistics")
    assert statistics["totalTestRuns"] == 1
    parts = [server.database, server.database.with_name(f"{server.database.name}-wal")]
    assert statistics["databaseSize"] == sum(part.stat().st_size for part in parts)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "startTestRun", "payload": {"runId": ""}}, "INVALID_MESSAGE"),
        ({"type": "startTestRun", "payload": {"runId": "x", "retries": -1}}, "INVALID_MESSAGE"),
        ({"type": "startTestRun"}, "INVALID_MESSAGE"),
        ({"type": "startTestRun", "payload": {"runId": "there"}}, "RUN_EXISTS"),
        ({"type": "endTestRun", "payload": {"runId": "no"}}, "RUN_NOT_FOUND"),
        ({"type": "cancelTestRun", "payload": {"runId": "no"}}, "RUN_NOT_FOUND"),
        ({"type": "cancelTestRun", "payload": {"runId": "there", "graceMs": -1}}, "INVALID_MESSAGE"),
        ({"type": "getRunStatus", "payload": {"runId": "no"}}, "RUN_NOT_FOUND"),
        ({"type": "getTestResultsByRun", "payload": {"runId": "there", "cursor": "x"}}, "INVALID_MESSAGE"),
        ({"type": "getEventsByTimeRange", "payload": {"startTime": 2, "endTime": 1}}, "INVALID_MESSAGE"),
        ({"type": "getEventsByTimeRange", "payload": {"startTime": 1, "endTime": 2, "cursor": "?"}}, "INVALID_MESSAGE"),
        ({"type": "replayEvents", "payload": {"startTime": 1, "endTime": 2, "types": ["*x"]}}, "INVALID_PATTERN"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(server: RunningServer, message: Any, code: str) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "there"}})
    answer = client.ask({"id": 9, **message})
    assert (answer["type"], answer["code"], answer["id"]) == ("error", code, 9)
    assert answer["payload"]["message"]
    as_request = client.ask({"type": "request", "method": message["type"], "payload": message.get("payload")})
    assert (as_request["success"], as_request["payload"]["code"]) == (False, code)
    assert isinstance(as_request["error"], str), "the original client makes an Error of it"


def test_results_that_say_very_much_come_in_more_pages_and_are_cut(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r"}})
    for test, logs in (("long", 7), ("short", 1), ("silent", 0)):
        say(client, "test/start", {"testId": test, "testName": test})
        for _ in range(logs):
            say(client, "test/log", {"testId": test, "message": "x" * 900_000})
        say(client, "test/end", {"testId": test, "status": "passed", "duration": 1})
    page = request(client, "getTestResultsByRun", {"runId": "r"})
    assert [(r["testId"], len(r["logs"]), r["detailsCut"]) for r in page["results"]] == [("long", 5, True)]
    rest = request(client, "getTestResultsByRun", {"runId": "r", "cursor": page["cursor"]})
    assert [(r["testId"], len(r["logs"]), r["detailsCut"]) for r in rest["results"]] == [
        ("short", 1, False),
        ("silent", 0, False),
    ]
    assert rest["cursor"] is None


def test_events_without_a_run_make_one_that_ends_with_the_client(server: RunningServer) -> None:
    client = server.connect()
    passing(client, "t1")
    (run,) = request(client, "getActiveRuns")
    assert run["runId"].startswith("implicit-")
    other = server.connect()
    passing(other, "t2")
    assert request(other, "getRunStatus", {"runId": run["runId"]})["passedTests"] == 2, "it is the only active run"
    client.close()
    other.close()
    wait_until(lambda: not server.hub._connections)
    pass_time(server, 31_000)
    wait_until(lambda: Reader(server.database).run(run["runId"]).state == "passed")


def test_another_connection_goes_on_with_a_test_that_the_first_one_began(server: RunningServer) -> None:
    first = server.connect()
    first.ask({"type": "startTestRun", "payload": {"runId": "r1"}})
    say(first, "test/start", {"testId": "t1", "testName": "t1"})
    request(first, "echo")
    first.cut()
    second = server.connect()
    say(second, "test/end", {"testId": "t1", "status": "passed", "duration": 1, "runId": "r1"})
    assert request(second, "endTestRun", {"runId": "r1"})["state"] == "passed"


def test_a_client_may_add_to_a_run_of_pytest_and_neither_end_nor_hold_it(server: RunningServer) -> None:
    shipper, client = server.connect(), server.connect()
    shipper.ask(batch(1, [run_start("p"), *records_of_test(1)]))
    say(client, "test/log", {"testId": "tests/test_a.py::test_1", "message": "seen", "runId": "p"})
    refused = client.ask({"type": "endTestRun", "payload": {"runId": "p"}})
    assert refused["code"] == "RUN_OF_PYTEST"
    say(client, "run/end", {"runId": "p"})
    assert client.receive()["code"] == "RUN_OF_PYTEST"
    end = {"type": "run/end", "timestamp": now_ms(), "payload": {"runId": "p", "exitCode": 0}}
    shipper.ask(batch(4, [end]))
    assert request(client, "getRunStatus", {"runId": "p"})["status"] == "completed"
    client.close()
    wait_until(lambda: [s.state for s in Reader(server.database).sources("p")] == ["ended", "ended"])
    assert Reader(server.database).run("p").state == "passed"


def test_a_shipper_cannot_write_what_the_recorder_writes_itself(server: RunningServer) -> None:
    answer = server.connect().ask(batch(1, [run_start("r", session="live/r")], source="live/r.main"))
    assert answer["code"] == "INVALID_MESSAGE"


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


def test_a_failed_test_is_announced_for_another_try_and_fail_fast_ends_the_run(server: RunningServer) -> None:
    runner, watcher = server.connect(), server.connect()
    runner.subscribe("test/retry", "run/*")
    watcher.subscribe("run/cancel")
    runner.ask({"type": "startTestRun", "payload": {"runId": "r", "retries": 1, "failFast": True}})
    for number in (1, 2):
        say(runner, "test/start", {"testId": "t", "testName": "t", "attempt": number})
        say(runner, "test/end", {"testId": "t", "status": "failed", "duration": 1, "attempt": number})
        if number == 1:
            again = runner.until("event")["payload"]
            assert (again["type"], again["payload"]["testId"], again["payload"]["attempt"]) == ("test/retry", "t", 2)
    told = watcher.until("event")["payload"]
    assert (told["type"], told["payload"]["reason"]) == ("run/cancel", "fail-fast: t failed")
    status = request(watcher, "getRunStatus", {"runId": "r"})
    assert (status["status"], status["failedTests"]) == ("cancelled", 1)
    assert Reader(server.database).results("r")[0].attempts == 2


def test_a_run_that_takes_too_long_times_out(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "timeout": 60_000}})
    say(client, "test/start", {"testId": "t", "testName": "t"})
    request(client, "echo")
    pass_time(server, 61_000)
    wait_until(lambda: Reader(server.database).run("r").state == "timeout")
    assert Reader(server.database).results("r")[0].state == "interrupted"
    assert request(client, "getRunStatus", {"runId": "r"})["status"] == "failed"


def test_a_shipper_is_told_of_a_cancellation_whenever_it_comes(server: RunningServer) -> None:
    shipper, operator = server.connect(instance="one"), server.connect()
    shipper.ask(batch(1, [run_start("p")]))
    answer = operator.ask({"type": "cancelTestRun", "payload": {"runId": "p", "reason": "enough", "graceMs": 5}})
    assert (answer["type"], answer["payload"]["status"]) == ("testRunCancelled", "running"), "pytest still runs"
    told = shipper.until("cancel")
    assert told["payload"] == {"runId": "p", "reason": "enough", "graceMs": 5}
    late = server.connect(instance="two")
    late.send(batch(1, [run_start("p", "gw0")], source="s.gw0"))
    assert late.until("cancel")["payload"]["reason"] == "enough"
    silent = server.connect(instance="three", run="p")
    assert silent.until("cancel")["payload"]["reason"] == "enough", "it has nothing to send"


def test_a_cancellation_holds_when_the_one_who_asked_has_gone_at_once(server: RunningServer) -> None:
    shipper, operator = server.connect(instance="one"), server.connect()
    shipper.ask(batch(1, [run_start("p")]))
    operator.send({"type": "cancelTestRun", "payload": {"runId": "p", "reason": "enough"}})
    operator.cut()
    assert shipper.until("cancel")["payload"]["reason"] == "enough"


def test_who_may_only_send_cancels_nobody_elses_run(server: RunningServer) -> None:
    shipper, evil = server.connect(instance="one"), server.connect()
    shipper.ask(batch(1, [run_start("p")]))
    cancel = {"type": "run/cancel", "timestamp": now_ms(), "payload": {"runId": "p", "reason": "because I can"}}
    crash = {"session": "live/recorder/p", "worker": "client", "reason": "because I can"}
    crash_of_recorder = {"type": "worker/crash", "timestamp": now_ms(), "payload": crash}
    assert evil.ask(batch(1, [run_start("p", session="e"), cancel, crash_of_recorder], "e.main"))["type"] == "ack"
    assert shipper.ask({"type": "ping"})["type"] == "pong"
    assert [reason for _run, reason in Status(server.database).open_runs()] == [None]
    assert request(server.connect(), "cancelTestRun", {"runId": "p", "reason": "enough"})["runId"] == "p"
    assert shipper.until("cancel")["payload"]["reason"] == "enough"


def test_who_names_a_run_that_nobody_knows_or_is_not_cancelled_is_told_nothing(server: RunningServer) -> None:
    server.connect().ask(batch(1, [run_start("p")]))
    for run in ("p", "no such run", "%zz", "é" * 500):
        assert server.connect(run=run).ask({"type": "ping"})["type"] == "pong"


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


@pytest.mark.hazard(6)
def test_a_run_whose_shipper_is_gone_for_good_is_not_running_for_ever(serve: NewServer) -> None:
    server = serve()
    shipper = server.connect()
    shipper.ask(batch(1, [run_start("p"), records_of_test(1)[0]]))
    pass_time(server, 3_700_000)
    shipper.ask({"type": "ping"})
    assert Reader(server.database).run("p").state == "running", "its shipper is there"
    shipper.cut()
    wait_until(lambda: not server.hub._connections)
    pass_time(server, 3_700_000)
    wait_until(lambda: Reader(server.database).run("p").state == "interrupted")
    assert [row.state for row in Reader(server.database).results("p")] == ["crashed"]
    again = server.connect()
    again.ask(batch(3, [records_of_test(1)[1]]))
    end = {"type": "run/end", "timestamp": now_ms(), "payload": {"runId": "p", "exitCode": 0}}
    again.ask(batch(4, [end]))
    assert Reader(server.database).run("p").state == "passed"


@pytest.mark.hazard(6)
def test_a_run_whose_client_is_gone_for_good_is_not_running_for_ever(server: RunningServer) -> None:
    gone, silent = server.connect(), server.connect()
    for client, run_id in ((gone, "abandoned"), (silent, "thinking")):
        request(client, "startTestRun", {"runId": run_id})
        say(client, "test/start", {"testId": "t", "testName": "t", "runId": run_id})
    request(silent, "echo")
    gone.close()
    wait_until(lambda: len(server.hub._connections) == 1)
    pass_time(server, 3_500_000)
    assert request(silent, "getRunStatus", {"runId": "abandoned"})["status"] == "running"
    pass_time(server, 3_700_000)
    wait_until(lambda: Reader(server.database).run("abandoned").state == "interrupted")
    run = Reader(server.database).run("abandoned")
    assert run.stop_reason == "nothing came of it for 60 minutes, and its clients are gone"
    assert [row.state for row in Reader(server.database).results("abandoned")] == ["interrupted"]
    assert [run["runId"] for run in request(silent, "getActiveRuns")] == ["thinking"], "its client is there"


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


def test_another_token_does_not_take_over_a_source(serve: NewServer) -> None:
    server = serve(anonymous=True)
    victim = server.connect()
    victim.ask(batch(1, [run_start("p")]))
    victims_id = victim.hello["payload"]["payload"]["clientId"]
    for name in (f"connection {victims_id}", victims_id, ""):
        headers = [f"X-Semantest-Instance: {name}"] if name else []
        thief = Client(f"ws://127.0.0.1:{server.port}/ws", headers)
        assert thief.ask(batch(2, records_of_test(1)))["code"] == "SOURCE_IN_USE"
        thief.close()
    assert victim.ask(batch(2, records_of_test(1)))["type"] == "ack"


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


def test_what_the_store_refuses_is_named(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r"}})
    with closing(sqlite3.connect(server.database)) as blocker:
        blocker.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no room'); END")
        blocker.commit()
        say(client, "custom/x", {}, id="e1")
        refused = client.until("error")
    assert (refused["code"], refused["eventId"]) == ("STORE_ERROR", "e1")


def test_events_of_a_time_come_page_by_page_in_their_order(server: RunningServer) -> None:
    client = server.connect()
    for run in ("a", "b"):
        events = [run_start(run, session=run), *(r for number in range(40) for r in records_of_test(number))]
        client.ask(batch(1, events, source=f"{run}.main"))
    start, end = run_start()["timestamp"], run_start()["timestamp"] + 1000
    found: list[Any] = []
    cursor = None
    while True:
        wanted = {"startTime": start, "endTime": end, "limit": 7, "cursor": cursor, "types": ["test/*"]}
        page = request(client, "getEventsByTimeRange", wanted)
        found += page["events"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(found) == 160
    assert [e["timestamp"] for e in found] == sorted(e["timestamp"] for e in found)
    assert len({e["id"] for e in found}) == 160


def test_a_replay_goes_to_who_asked_and_to_subscribers_and_changes_nothing(server: RunningServer) -> None:
    client, subscriber = server.connect(), server.connect()
    client.ask(batch(1, [run_start("p"), *(r for number in range(300) for r in records_of_test(number))]))
    subscriber.subscribe("test/end")
    before = Reader(server.database).sources("p")
    at = run_start()["timestamp"]
    started = client.ask({"type": "replayEvents", "payload": {"startTime": at, "endTime": at + 1000}})
    assert started["type"] == "replayStarted"
    replayed = []
    while (message := client.receive())["type"] != "replayEnded":
        assert message["replay"] == started["payload"]["replayId"]
        replayed.append(message["payload"])
    assert len(replayed) == 601
    assert (message["payload"]["events"], message["payload"]["completed"]) == (601, True)
    assert [subscriber.until("event")["payload"]["type"] for _ in range(300)] == ["test/end"] * 300
    assert Reader(server.database).sources("p") == before


def test_client_metadata_reaches_the_log_and_other_clients(server: RunningServer) -> None:
    client, other = server.connect(), server.connect()
    other.subscribe("custom.*")
    say(client, "custom/note", {"a": 1}, metadata={"source": "me", "browser": "firefox"})
    event = other.until("event")["payload"]
    assert (event["payload"]["a"], event["metadata"]) == (1, {"source": "me", "browser": "firefox"})
    assert request(client, "echo", "next") == "next", "what a client said is not echoed to it"


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


@pytest.mark.parametrize("kind", ["worker/crash", "journal/gap", "collect/error", "run/context", "event/dropped"])
def test_clients_do_not_speak_as_pytests_own_processes(server: RunningServer, kind: str) -> None:
    shipper, client = server.connect(), server.connect()
    shipper.ask(batch(1, [run_start("p"), *records_of_test(1)]))
    say(client, kind, {"runId": "p", "session": "s", "worker": "main"})
    assert client.receive()["code"] == "FORBIDDEN"
    assert request(client, "getRunStatus", {"runId": "p"})["status"] == "running"


def test_a_run_id_that_is_no_name_is_refused(server: RunningServer) -> None:
    client = server.connect()
    for run_id in ("x" * 151, "a\nb", "\0", "n\n", "\x9b31m"):
        say(client, "custom/x", {"runId": run_id})
        assert client.receive()["code"] == "INVALID_MESSAGE"
        assert client.ask({"type": "startTestRun", "payload": {"runId": run_id}})["code"] == "INVALID_MESSAGE"
    say(client, "custom/x", {"runId": "last"})
    assert request(client, "getRunStatus", {"runId": "last"})["runId"] == "last"


def test_the_policy_holds_for_every_route(serve: NewServer) -> None:
    server = serve(anonymous=True)
    address = f"http://127.0.0.1:{server.port}/readyz-not"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address)
    request(server.connect(), "updatePolicy", {"requireAuthentication": True})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)


def test_what_the_disk_refuses_can_be_said_again(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "timeout": 60_000}})
    with closing(sqlite3.connect(server.database)) as blocker:
        blocker.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no room'); END")
        blocker.commit()
        assert client.ask({"type": "endTestRun", "payload": {"runId": "r"}})["type"] == "error"
        pass_time(server, 61_000)
        client.ask({"type": "ping"})
        blocker.execute("DROP TRIGGER full")
        blocker.commit()
    assert client.ask({"type": "endTestRun", "payload": {"runId": "r"}})["type"] == "testRunEnded"


def test_what_the_recorder_itself_could_not_store_it_stores_later(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "timeout": 60_000}})
    with closing(sqlite3.connect(server.database)) as blocker:
        blocker.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no room'); END")
        blocker.commit()
        pass_time(server, 61_000)
        wait_until(lambda: bool(server.hub._postponed))
        blocker.execute("DROP TRIGGER full")
        blocker.commit()
    wait_until(lambda: server.call(server.hub.keep_time) or Reader(server.database).run("r").state == "timeout")


def test_a_replay_takes_the_time_that_its_speed_says(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(_replay: Replay, seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(Replay, "_pause", pause)
    client = server.connect()
    start = run_start()
    at = start["timestamp"]
    later = [{"type": "custom/x", "timestamp": at + more, "payload": {}} for more in (1000, 1000, 3000)]
    client.ask(batch(1, [start, *later]))
    for speed, expected in ((1, [1.0, 0.0, 2.0]), (4, [0.25, 0.0, 0.5]), (0.5, [2.0, 0.0, 4.0]), (0, [])):
        client.ask({"type": "replayEvents", "payload": {"startTime": at, "endTime": at + 9999, "speed": speed}})
        assert client.until("replayEnded")["payload"]["events"] == 4
        assert pauses == expected
        pauses.clear()


def test_a_replay_waits_for_who_reads_and_ends_with_who_asked(server: RunningServer) -> None:
    client = server.connect()
    text = "x" * 100_000
    log = [
        {"type": "test/log", "timestamp": now_ms() + n, "payload": {"testId": "t", "message": text}} for n in range(150)
    ]
    client.send(batch(1, [run_start("p"), *log[:70]]))
    assert client.receive()["type"] == "ack"
    client.send(batch(72, log[70:]))
    assert client.receive()["type"] == "ack"
    wanted = {"startTime": 0, "endTime": now_ms() + 10_000}
    client.ask({"type": "replayEvents", "payload": wanted})
    replayed = 0
    while client.receive()["type"] != "replayEnded":
        replayed += 1
    assert replayed == 151
    for _ in range(8):
        client.ask({"type": "replayEvents", "payload": {**wanted, "speed": 1e-9}})
    refused = client.ask({"type": "request", "method": "replayEvents", "payload": wanted})
    while refused["type"] != "response":
        refused = client.receive()
    assert refused["payload"]["code"] == "RATE_LIMITED"
    client.cut()
    wait_until(lambda: not server.hub._replaying)


def test_one_attempt_told_in_two_words_fails_once(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "retries": 1, "failFast": True}})
    say(client, "test/start", {"testId": "t", "testName": "t"})
    say(client, "test/failed", {"testId": "t"})
    say(client, "test/end", {"testId": "t", "status": "failed", "duration": 1})
    assert request(client, "getRunStatus", {"runId": "r"})["status"] == "running"


def test_a_client_that_says_ends_only_is_asked_for_as_many_retries_as_any_other(server: RunningServer) -> None:
    client = server.connect()
    client.ask({"type": "startTestRun", "payload": {"runId": "r", "retries": 2}})
    client.subscribe("test/retry")
    for _ in range(4):
        say(client, "test/end", {"testId": "t", "status": "failed", "duration": 1})
        say(client, "test/failed", {"testId": "t"})
    say(client, "test/end", {"testId": "last", "status": "failed", "duration": 1})
    retries = [client.until("event")["payload"]["payload"] for _ in range(3)]
    assert [(retry["testId"], retry["attempt"]) for retry in retries] == [("t", 2), ("t", 3), ("last", 2)]


def test_a_payload_that_cannot_be_enriched_holds_up_nobody(server: RunningServer) -> None:
    watcher, one, other = server.connect(), server.connect(instance="1"), server.connect(instance="2")
    watcher.subscribe("custom/*")
    one.ask(batch(1, [run_start("p")]))
    other.ask(batch(1, [run_start("q", session="q")], source="q.main"))
    one.send('{"type":"events","source":"s.main","firstSeq":2,"events":'
             '[{"type":"custom/x","timestamp":1,"payload":{"worker":1e999}}]}')  # fmt: skip
    other.send(batch(2, [{"type": "custom/y", "timestamp": 1.0, "payload": {}}], source="q.main"))
    assert (one.receive()["type"], other.receive()["type"]) == ("ack", "ack")
    assert {watcher.until("event")["payload"]["type"] for _ in range(2)} == {"custom/x", "custom/y"}

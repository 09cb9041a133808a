"""What clients without a journal do: start runs, say events and ask (PROTOCOL)."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import RunningServer, batch, records_of_test, run_start, wait_until
from tests.recorder.server.saying import pass_time, passing, request, say


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


def test_client_metadata_reaches_the_log_and_other_clients(server: RunningServer) -> None:
    client, other = server.connect(), server.connect()
    other.subscribe("custom.*")
    say(client, "custom/note", {"a": 1}, metadata={"source": "me", "browser": "firefox"})
    event = other.until("event")["payload"]
    assert (event["payload"]["a"], event["metadata"]) == (1, {"source": "me", "browser": "firefox"})
    assert request(client, "echo", "next") == "next", "what a client said is not echoed to it"


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


def test_a_fault_of_ours_is_told_apart_from_trouble_of_the_store(server: RunningServer) -> None:
    client = server.connect()
    request(client, "startTestRun", {"runId": "r1"})
    with sqlite3.connect(server.database) as connection:
        connection.execute("UPDATE runs SET labels = '{'")
    asked = {"id": "q", "type": "request", "method": "getRunStatus", "payload": {"runId": "r1"}}
    assert client.ask(asked)["payload"]["code"] == "INTERNAL_ERROR"
    with sqlite3.connect(server.database) as connection:
        connection.execute("ALTER TABLE runs RENAME TO away")
    assert client.ask(asked)["payload"]["code"] == "STORE_ERROR"

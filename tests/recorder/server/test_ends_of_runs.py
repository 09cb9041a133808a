"""What ends a run besides its client: time, a cancellation, the end of everybody who told of it, a first failure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import chain

import pytest

from semantest_recorder.store.open_runs import load_open_runs
from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import RunningServer, batch, records_of_test, run_start, wait_until
from tests.recorder.server.saying import now_ms, pass_time, request, say

NewServer = Callable[..., RunningServer]


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
    assert [run.cancelling for run in load_open_runs(server.database)] == [None]
    assert request(server.connect(), "cancelTestRun", {"runId": "p", "reason": "enough"})["runId"] == "p"
    assert shipper.until("cancel")["payload"]["reason"] == "enough"


def test_who_names_a_run_that_nobody_knows_or_is_not_cancelled_is_told_nothing(server: RunningServer) -> None:
    server.connect().ask(batch(1, [run_start("p")]))
    for run in ("p", "no such run", "%zz", "é" * 500):
        assert server.connect(run=run).ask({"type": "ping"})["type"] == "pong"


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
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
def test_of_a_run_in_shards_only_the_one_that_vanished_is_said_to_have_died(
    server: RunningServer, at_once: bool
) -> None:
    ended, lost = server.connect(), server.connect()
    begin_lost = batch(1, [run_start("p", session="b"), records_of_test(1)[0]], "b.main")
    ended.ask(batch(1, [run_start("p", session="a")], "a.main"))
    ended.ask(batch(1, [run_start("p", "gw0", "a")], "a.gw0"))
    if at_once:
        lost.ask(begin_lost)
    end = {"type": "run/end", "timestamp": now_ms(), "payload": {"runId": "p", "exitCode": 0}}
    ended.ask(batch(2, [end], "a.main"))
    if not at_once:
        assert Reader(server.database).run("p").state == "passed"
        lost.ask(begin_lost)
    opening = run_start("p", "shipper", "a") | {"type": "shipper/start"}
    ended.ask(batch(1, [opening, {"type": "run/context", "timestamp": now_ms(), "payload": {}}], "a.shipper"))
    ended.ask(batch(2, [records_of_test(2)[0]], "a.gw0"))
    ended.cut()
    lost.cut()
    wait_until(lambda: not server.hub._connections)
    pass_time(server, 3_700_000)
    wait_until(lambda: Reader(server.database).run("p").state == "interrupted")
    with closing(sqlite3.connect(server.database)) as connection:
        told = connection.execute("SELECT payload FROM events WHERE type = 'worker/crash'").fetchall()
    assert [(found["session"], found["worker"]) for found in map(json.loads, chain(*told))] == [("b", "main")]


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

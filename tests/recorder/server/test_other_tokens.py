"""What a token may do with runs and sources of another one, and what it gets to see."""

from __future__ import annotations

from typing import Any

from semantest_recorder.core.access import Role
from semantest_recorder.store.reader import Reader
from tests.recorder.server.running import Client, RunningServer, batch, run_start, wait_until
from tests.recorder.server.saying import now_ms, request, say

T = "tests/test_a.py::test_bad"


def a_failed_run(shipper: Client) -> None:
    """A pytest run that has ended, four events long."""
    end = {"testId": T, "attempt": 1, "status": "failed", "outcome": "failed", "duration": 1.0}
    told = [("test/start", {"testId": T, "attempt": 1}), ("test/end", end), ("run/end", {"runId": "p", "exitCode": 1})]
    events = [{"type": kind, "timestamp": now_ms(), "payload": payload} for kind, payload in told]
    assert shipper.ask(batch(1, [run_start("p"), *events]))["type"] == "ack"


def a_better_end() -> list[dict[str, Any]]:
    return [{"type": "run/end", "timestamp": now_ms(), "payload": {"runId": "p", "exitCode": 0}}]


def leave(server: RunningServer, client: Client) -> None:
    """Returns when the recorder knows that the client has gone."""
    client_id = client.hello["payload"]["payload"]["clientId"]
    client.close()
    wait_until(lambda: client_id not in server.call(server.hub.status)["sources"].values())


def test_a_source_stays_its_tokens_after_the_connection(server: RunningServer) -> None:
    shipper = server.connect(server.token("ci", Role.INGEST))
    a_failed_run(shipper)
    leave(server, shipper)
    thief = server.connect(server.token("other", Role.INGEST))
    for first_seq in (1_000_000, 5, 1):  # not even the next seq is told
        assert thief.ask(batch(first_seq, a_better_end()))["code"] == "SOURCE_IN_USE"
    [source] = Reader(server.database).sources("p")
    assert (source.last_seq, source.exit_code, Reader(server.database).run("p").state) == (4, 1, "failed")


def test_what_a_revoked_token_left_over_is_sent_with_a_new_one(server: RunningServer) -> None:
    shipper = server.connect(server.token("ci", Role.INGEST))
    assert shipper.ask(batch(1, [run_start("p")]))["type"] == "ack"
    leave(server, shipper)
    server.revoke("ci")
    second = server.connect(server.token("ci-2", Role.INGEST))
    assert second.ask(batch(2, a_better_end()))["type"] == "ack"
    leave(server, second)
    third = server.connect(server.token("ci-3", Role.INGEST))
    assert third.ask(batch(3, a_better_end()))["code"] == "SOURCE_IN_USE", "it is the second one's now"
    renewed = server.connect(server.token("ci-2", Role.INGEST))
    assert renewed.ask(batch(3, a_better_end()))["type"] == "ack", "a token of the same name is the same one"


def test_the_owner_may_always_go_on_and_takes_nothing_away(server: RunningServer) -> None:
    shipper = server.connect(server.token("ci", Role.INGEST))
    a_failed_run(shipper)
    leave(server, shipper)
    owner = server.connect()
    assert owner.ask(batch(5, a_better_end()))["type"] == "ack"
    leave(server, owner)
    again = server.connect(server.token("ci", Role.INGEST))
    assert again.ask(batch(6, a_better_end()))["type"] == "ack"


def test_a_run_is_ended_by_the_token_that_began_it_or_by_an_operator(server: RunningServer) -> None:
    one, other = (server.connect(server.token(name, Role.INGEST)) for name in ("one", "other"))
    say(one, "test/log", {"runId": "theirs", "testId": "t", "message": "begins a run"})
    assert request(one, "startTestRun", {"runId": "mine", "name": "quarterly"})["status"] == "running"
    for run in ("mine", "theirs"):
        refused = other.ask({"type": "endTestRun", "payload": {"runId": run}})
        assert refused["code"] == "FORBIDDEN"
        assert "quarterly" not in str(refused)
        say(other, "run/end", {"runId": run})
        assert other.receive()["code"] == "FORBIDDEN"
    assert (
        request(server.connect(server.token("one", Role.INGEST)), "endTestRun", {"runId": "mine"})["state"] == "passed"
    )
    operator = server.connect(server.token("operator", Role.INGEST, Role.OPERATE))
    assert request(operator, "endTestRun", {"runId": "theirs"})["state"] == "passed"


def test_a_replay_shows_nothing_to_who_may_not_read(server: RunningServer) -> None:
    a_failed_run(server.connect())
    reader = server.connect(server.token("reader", Role.READ))
    reader.subscribe("run/end")
    operator = server.connect(server.token("operator", Role.OPERATE))
    wanted = {"startTime": 0, "endTime": now_ms() + 1000}
    assert operator.ask({"type": "replayEvents", "payload": wanted})["type"] == "replayStarted"
    ended = operator.receive()
    assert (ended["type"], ended["payload"]["events"]) == ("replayEnded", 4)
    assert reader.until("event")["payload"]["type"] == "run/end"

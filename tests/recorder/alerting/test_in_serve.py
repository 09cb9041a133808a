"""Alerts of a real recorder, told to a real receiver."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.recorder.alerting.conftest import BROKEN, FINE, PATH, RULES, Watched
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli_recorder.daemons import wait_until
from tests.recorder.notify.receiver import Reply
from tests.recorder.small_disk import fill, small_disk


def alerts(watched: Watched, *arguments: str) -> Said:
    return semantest("alerts", *arguments, "--directory", watched.folder)


def state_of(watched: Watched, subject: str) -> str | None:
    found = {one["subject"]: one["state"] for one in alerts(watched, "--json").json["alerts"]}
    state: str | None = found.get(subject)
    return state


def test_people_are_told_of_each_change_once(shared: Watched) -> None:
    shared.record({FINE: "passed", BROKEN: "passed"})
    shared.record({FINE: "passed", BROKEN: "failed"}, branch="dev")
    shared.record({FINE: "passed", BROKEN: "failed"})
    assert {shared.told(), shared.told()} == {
        ("firing", "Run failed on main"),
        ("firing", f"New failure on main: {BROKEN}"),
    }
    shared.record({FINE: "passed", BROKEN: "failed"})
    shared.record({FINE: "passed", BROKEN: "passed"})
    assert {shared.told()[0], shared.told()[0]} == {"resolved"}
    wait_until(lambda: "team was told" in alerts(shared).out, "its answer is stored")
    assert {state_of(shared, "main"), state_of(shared, f"{BROKEN} on main")} == {"resolved"}
    assert state_of(shared, "dev") is None


def test_what_nobody_takes_is_a_dead_letter_that_can_be_sent_again(shared: Watched) -> None:
    shared.receiver.reply = lambda request: Reply(404, body=f"no {request.path}".encode())
    shared.record({FINE: "failed"}, branch="release/1")
    refused = shared.receiver.next()
    wait_until(lambda: bool(alerts(shared, "dead", "--json").json["dead"]), "it is a dead letter")
    (dead,) = alerts(shared, "dead", "--json").json["dead"]
    assert (dead["id"], dead["channel"], dead["tries"]) == (refused.headers["webhook-id"], "team", 1)
    assert dead["answer"] == "127.0.0.1 answered 404: no /hooks/[REDACTED]"
    shown = alerts(shared, "dead").out
    assert dead["id"] in shown
    assert "Run failed on release/1" in shown
    assert "1 message could not be delivered: `semantest alerts dead`" in alerts(shared).out
    shared.receiver.reply = lambda _request: Reply()
    assert alerts(shared, "retry", dead["id"]).out == "1 to be sent again.\n"
    assert shared.receiver.next().body == refused.body
    assert alerts(shared, "dead").out == "No dead letters.\n"


def test_a_test_message_tells_what_the_other_side_answered(shared: Watched) -> None:
    said = alerts(shared, "test", "red")
    assert (said.code, said.out) == (0, "team: ok, 127.0.0.1 answered 200 (sent by the recorder)\n")
    got = shared.receiver.next()
    assert (got.json["kind"], got.json["rule"], got.json["severity"]) == ("test", "red", "critical")
    assert got.json["title"] == "[test] Semantest can reach you (rule red)"
    shared.receiver.reply = lambda _request: Reply(500, body=b"out of order")
    said = alerts(shared, "test", "team", "--json")
    assert said.code == 1
    told = {"channel": "team", "delivered": False, "answer": "127.0.0.1 answered 500: out of order"}
    assert said.json["answers"] == [told]
    shared.receiver.next()
    said = alerts(shared, "test", "blue")
    assert said.code == 1
    assert "'blue' is no rule and no channel; rules: red, news, hangs; channels: team" in said.err


def test_a_silence_holds_back_until_it_ends(shared: Watched) -> None:
    made = alerts(
        shared, "silence", "r*", "--subject", "release/2", "--for", "2h", "--reason", "moving", "--by", "ann", "--json"
    ).json
    shared.record({FINE: "failed"}, branch="release/2")
    wait_until(lambda: state_of(shared, "release/2") == "firing", "it is seen")
    shown = alerts(shared).out
    assert "silenced, nobody was told" in shown
    assert f"silence {made['id']}: rule r*, subject release/2, until " in shown
    assert ": moving (ann)" in shown
    assert shared.receiver.received.empty()
    assert alerts(shared, "unsilence", made["id"]).out == f"Silence {made['id']} has ended.\n"
    assert shared.told() == ("firing", "Run failed on release/2")


def test_a_hanging_test_is_told_while_it_hangs(shared: Watched) -> None:
    run_id = shared.record({FINE: "passed", BROKEN: "running"}, branch="slow", end=False)
    got = shared.receiver.next().json
    assert (got["state"], got["title"]) == ("firing", f"Test hangs: {BROKEN}")
    assert (got["runId"], got["branch"]) == (run_id, "slow")


def test_killed_before_it_is_delivered_it_is_delivered_by_the_next_one_under_the_same_id(watched: Watched) -> None:
    watched.configure(RULES)
    watched.receiver.reply = lambda _request: Reply(None)  # it takes the message, and never says so
    daemon = watched.serve()
    watched.record({FINE: "failed"})
    first = watched.receiver.next()
    watched.record({FINE: "passed"}, branch="dev")  # a channel that hangs holds up nobody
    daemon.end(signal.SIGKILL)
    watched.receiver.reply = lambda _request: Reply()
    daemon = watched.serve()
    again = watched.receiver.next()
    assert again.headers["webhook-id"] == first.headers["webhook-id"] == first.json["id"]
    assert again.body == first.body
    assert again.path == PATH
    wait_until(lambda: "team was told" in alerts(watched).out, "its answer is stored")
    watched.record({FINE: "failed"}, branch="release/1")  # killed at once: rules look a moment after the commit
    daemon.end(signal.SIGKILL)
    watched.serve()
    assert watched.told() == ("firing", "Run failed on release/1")


def test_a_recorder_whose_disk_is_full_says_so(watched: Watched, tmp_path: Path) -> None:
    rule = RULES.replace("run-failed", "recorder-unhealthy").replace("branches", "#")
    watched.configure(f'{rule}    min-free = "1MB"\n')
    with small_disk(tmp_path / "disk", "8m") as disk:
        watched.folder = disk / ".semantest"
        daemon = watched.serve()
        fill(disk / "ballast")
        assert watched.told() == ("firing", "The recorder needs help: disk")
        (disk / "ballast").unlink()
        assert watched.told() == ("resolved", "Over: The recorder needs help: disk")
        daemon.end()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RULES.replace("team]", "crew]"), "[alerts.rules.red] names the channel 'team', and there is crew"),
        (RULES.replace("run-failed", "faild"), "alerts.rules.red.kind is 'faild', and must be one of run-failed"),
    ],
)
def test_a_recorder_does_not_start_with_rules_that_mean_nothing(watched: Watched, text: str, said: str) -> None:
    watched.configure(text)
    with pytest.raises(AssertionError) as ended:
        watched.serve()
    assert said in str(ended.value)

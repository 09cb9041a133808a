"""``semantest alerts`` where no recorder runs: the configuration, and what is in the database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import chdir, closing
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from semantest_recorder.cli.semantest import main
from semantest_recorder.core.alerts.alert import Sighting
from semantest_recorder.core.alerts.delivery import Answer, after_try
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.telling import Looked
from semantest_recorder.reports.json_schema import json_schema
from semantest_recorder.store.alerts import deliveries_in, note_tried, tell
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.suite_runs import PASSED, record_run
from tests.recorder.notify.receiver import receiving
from tests.recorder.reports.schema_check import violations

RULES = """
[alerts.channels.team]
kind = "webhook"
url-env = "TEAM_URL"
[alerts.rules.red]
kind = "run-failed"
branches = ["main"]
severity = "critical"
"""
UNSET = "the variable TEAM_URL is not set in this shell; whether the recorder has it, `semantest alerts test` tells"
TEST = "a.py::test[\x1b[31m]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with an alert that was told nobody, since its channel refused twice."""
    (tmp_path / "semantest.toml").write_text(RULES)
    folder = tmp_path / ".semantest"
    record_run(folder, 1, {"a.py::t": PASSED})
    rule = Rule(name="red", kind="new-failure", channels=("team", "chat"), severity="critical")
    now_ms = time.time() * 1000
    with closing(sqlite3.connect(folder / "semantest.db", isolation_level=None)) as connection:
        seen = Sighting(
            subject=f"{TEST} on main", firing=True, summary="no\nway", branch="main", run_id="r1", test_id=TEST
        )
        tell(connection, [Looked(rule, [seen])], "https://rec.example", now_ms)
        gone = Answer(is_delivered=False, text="hooks.example answered 410", is_final=True)
        dead = [after_try(one, gone, now_ms, 0.5) for one in deliveries_in(connection, "queued")]
        note_tried(connection, dead)
    return folder


def alerts(folder: Path, *arguments: str, **environment: str) -> Said:
    return semantest("alerts", *arguments, "--directory", folder, env=environment)


def test_the_list_tells_what_fires_and_who_was_told(folder: Path) -> None:
    said = alerts(folder)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "1 alert firing, 0 over"
    assert lines[1] == "CRITICAL  red: a.py::test[] on main"
    assert lines[2].startswith("  no way, since 20")
    assert lines[3:] == [
        "  semantest report r1",
        "  team was not reached (hooks.example answered 410), chat was not reached (hooks.example answered 410)",
        "2 messages could not be delivered: `semantest alerts dead`",
    ]


def test_tests_that_fail_by_one_cause_are_told_as_one(folder: Path) -> None:
    news = Rule(name="news", kind="new-failure", channels=("team",))
    seen = [
        Sighting(subject=f"a.py::t{n} on main", firing=True, summary=f"no host-{n}", run_id="r2", test_id=f"a.py::t{n}")
        for n in range(8)
    ]
    seen += [
        Sighting(subject=f"b.py::t{n} on main", firing=True, summary="empty", run_id="r2", test_id=f"b.py::t{n}")
        for n in range(20)
    ]
    seen.append(Sighting(subject="c.py::t on main", firing=True, summary="torn", run_id="r2", test_id="c.py::t"))
    with closing(sqlite3.connect(folder / "semantest.db", isolation_level=None)) as connection:
        tell(connection, [Looked(news, seen)], "", time.time() * 1000)
    lines = alerts(folder).out.splitlines()
    assert lines[0] == "30 alerts firing, 0 over"
    first = lines.index("WARNING  news: 8 tests")
    assert lines[first + 1].startswith("  no host-0, since 20")
    assert lines[first + 2 : first + 8] == [
        *(f"    a.py::t{n} on main" for n in range(5)),
        "    ... and 3 more: --json has them",
    ]
    last = lines.index("WARNING  news: c.py::t on main")
    assert lines[last + 3].startswith("  told 20"), "the message has counted it, and names twenty others"


def test_all_that_waits_is_counted(folder: Path) -> None:
    rule = Rule(name="red", kind="run-failed", channels=("team",))
    with closing(sqlite3.connect(folder / "semantest.db", isolation_level=None)) as connection:
        for number in range(600):
            seen = Sighting(subject=f"dev-{number}", firing=True, summary="no", branch=f"dev-{number}")
            tell(connection, [Looked(rule, [seen])], "", time.time() * 1000)
    assert alerts(folder, "--json").json["queued"] == 600
    assert "waiting to be sent: 600 messages" in alerts(folder).out


def test_the_json_is_that_of_its_schema(folder: Path) -> None:
    found = alerts(folder, "--json").json
    schema = json_schema("alerts")
    assert violations(found, schema, schema["$defs"]) == []
    (alert,) = found["alerts"]
    assert (alert["rule"], alert["state"], alert["toldState"], alert["silenced"]) == ("red", "firing", "firing", False)
    assert {one["channel"] for one in alert["deliveries"]} == {"team", "chat"}


def test_options_of_a_subcommand_stand_behind_it(folder: Path) -> None:
    said = semantest("alerts", "--json", "dead", "--directory", folder)
    assert (said.code, said.err) == (2, "semantest: give options behind 'dead': they are its own\n")


def test_rules_and_channels_are_told_with_what_is_missing(folder: Path) -> None:
    said = alerts(folder, "rules")
    assert said.out.splitlines() == [
        "red: run-failed on main, critical, to team",
        f"channel team: webhook, unsigned, {UNSET}",
    ]
    told = alerts(folder, "rules", "--json", TEAM_URL="https://hooks.example/x").json
    assert told["channels"] == [{"name": "team", "kind": "webhook", "problem": None}]
    (folder.parent / "semantest.toml").write_text("")
    assert alerts(folder, "rules").out.startswith("No rules. Write one: [alerts.rules.main-red]")


def test_a_test_is_sent_from_here_where_no_recorder_runs(folder: Path) -> None:
    with receiving() as receiver:
        said = alerts(folder, "test", TEAM_URL=receiver.url)
        assert (said.code, said.out) == (0, "team: ok, 127.0.0.1 answered 200 (sent by this command)\n")
        assert receiver.next().json["kind"] == "test"
    said = alerts(folder, "test", "team")
    assert said.code == 1
    assert "team: FAILED, the variable TEAM_URL is not set" in said.out
    assert alerts(folder, "test", "nobody").code == 2


def test_dead_letters_are_sent_again_by_the_next_recorder_or_dropped(folder: Path) -> None:
    dead = alerts(folder, "dead", "--json").json["dead"]
    assert alerts(folder, "drop", "--all", "--dry-run").out == "Would delete 2.\n"
    assert alerts(folder, "retry", dead[0]["id"]).out == "1 to be sent again.\n"
    assert "waiting to be sent: 1 message" in alerts(folder).out
    dropped = alerts(folder, "drop", "--all", "--json").json
    assert (dropped["count"], dropped["dryRun"]) == (1, False)
    assert alerts(folder, "dead").out == "No dead letters.\n"
    for arguments in (("drop",), ("retry", "--all", "msg_1")):
        said = alerts(folder, *arguments)
        assert (said.code, "name dead letters by their ids, or give --all" in said.err) == (2, True)


def test_doctor_tells_of_what_reached_nobody(folder: Path) -> None:
    checks = semantest("doctor", "--directory", folder, "--json").json["checks"]
    (check,) = (one for one in checks if one["name"] == "alerts")
    assert (check["status"], check["data"]) == ("warn", {"dead": 2})
    assert check["detail"] == "2 messages could not be delivered, the last one to chat: hooks.example answered 410"


def test_a_silence_is_made_and_ended_where_no_recorder_runs(folder: Path) -> None:
    said = alerts(folder, "silence", "--for", "1h", "--reason", "moving")
    assert said.code == 0
    (silence,) = alerts(folder, "--json").json["silences"]
    assert (silence["rule"], silence["subject"], silence["reason"]) == ("*", "*", "moving")
    assert alerts(folder, "--json").json["alerts"][0]["silenced"]
    assert alerts(folder, "unsilence", silence["id"]).code == 0
    assert alerts(folder, "unsilence", silence["id"]).code == 3
    assert alerts(folder, "silence", "--for", "0s", "--reason", "x").code == 2
    said = alerts(folder, "silence", "rad", "--for", "1h", "--reason", "x")
    assert (said.code, said.err) == (0, "semantest: no rule of the configuration is called like 'rad'; there are red\n")


@pytest.fixture
def here(folder: Path) -> Iterator[Path]:
    with chdir(folder.parent):
        yield folder


def test_names_and_ids_are_completed(here: Path) -> None:
    def offered(arguments: list[str], incomplete: str = "") -> list[str]:
        complete = ShellComplete(main, {}, "semantest", "_X")
        return [item.value for item in complete.get_completions(["alerts", *arguments], incomplete)]

    assert offered(["test"]) == ["red", "team"]
    assert offered(["silence"], "r") == ["red"]
    assert len(offered(["retry"], "msg_")) == 2
    made = alerts(here, "silence", "--for", "1h", "--reason", "x", "--json").json["id"]
    assert offered(["unsilence"]) == [made]
    (here.parent / "semantest.toml").write_text("[")
    assert offered(["test"]) == []
    assert isinstance(main, click.Group)


def test_config_check_tells_of_rules_that_do_not_go_together(here: Path) -> None:
    (here.parent / "semantest.toml").write_text(RULES + '[alerts.rules.b]\nkind = "budget-exceeded"\n')
    said = semantest("config", "check")
    assert (said.code, said.err.splitlines()[0]) == (2, '[alerts.rules.b] needs max-duration, such as "10m"')
    said = semantest("config", "show", "alerts.rules.red.severity")
    assert said.out == 'alerts.rules.red.severity = "critical"  # semantest.toml\n'

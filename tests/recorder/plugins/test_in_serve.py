"""Plugins in a real recorder: found by their entry point, set up by ``semantest.toml``, contained whatever they do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from semantest_recorder.core.marking import crc_of
from tests.recorder.cli_recorder.daemons import Daemon, answer_of, wait_until
from tests.recorder.plugins.plugged_project import SENT, message_from, path_of, rows, semantest, send, told
from tests.recorder.store.ingesting import RUN


@pytest.mark.hazard(25)
def test_plugins_of_every_kind_in_a_real_recorder(project: Path, daemon: Daemon) -> None:
    assert (send(daemon)["type"], send(daemon, 2)["type"]) == ("ack", "ack")
    stored = dict(rows(project, "SELECT seq, payload FROM events"))
    assert json.loads(stored[2])["message"] == "changed"
    assert json.loads(stored[3]) == {"type": "custom/noise", "reason": "plugin dropping"}
    assert json.loads(stored[6])["headers"] == {"Authorization": "[REDACTED]"}
    assert len(stored) == len(SENT)
    assert rows(project, "SELECT seq, kind, reason, sent_crc FROM marks ORDER BY seq") == [
        (2, "changed", "plugin changing", crc_of(SENT[1])),
        (3, "dropped", "plugin dropping", crc_of(SENT[2])),
        (4, "failed", "plugin raising: ValueError: as always", None),
        (5, "failed", "plugin stuck: was given up", None),
        (6, "changed", "plugin event-filter", crc_of(SENT[5])),
    ]
    report = project / ".semantest" / "reports" / f"{RUN}.json"
    wait_until(report.exists, "the report of the run")
    own = semantest(project, "report", "--json")
    assert json.loads(report.read_text()) == json.loads(own.stdout)
    wait_until(lambda: ["after_test_run", "passed", 1] in told(project), "the end of the run")
    assert told(project) == [
        ["initialize", False],
        ["on_error", "raising", False],
        ["initialize", True],
        ["on_error", "stuck", True],
        ["before_test_run", RUN],
        ["before_suite", "a.py"],
        ["before_test", "a.py::t"],
        ["after_test", "a.py::t", "passed"],
        ["after_suite", "a.py", 1],
        ["after_test_run", "passed", 1],
    ]
    code, _out, err = daemon.end()
    assert code == 0
    assert told(project)[-1] == ["destroy"]
    assert "plugin stuck is disabled" in err
    assert "plugin absent cannot be loaded: AttributeError" in err
    assert "plugin unheard cannot be loaded: TypeError: on_evnt is no hook; did you mean on_event?" in err
    assert "PASSED    a.py::t" in err
    assert f"run {RUN}: passed, 1 passed" in err


def test_what_became_of_plugins_is_shown(project: Path, daemon: Daemon) -> None:
    send(daemon)
    found = json.loads(semantest(project, "plugins", "--json").stdout)
    by_name = {plugin["name"]: plugin for plugin in found["plugins"]}
    assert (found["schema"], found["running"]) == (1, True)
    url, bearer = daemon.discovery["url"], daemon.discovery["token"]
    told = json.loads(answer_of(url, "GET", "/api/v1/plugins", bearer)[1])
    assert [plugin["name"] for plugin in told["plugins"]] == list(by_name)
    assert list(by_name)[:3] == ["changing", "json-report", "console"]
    assert by_name["changing"]["origin"] == "our-plugins 1.2"
    assert by_name["raising"]["hooks"]["on_event"]["failures"] == 1
    assert by_name["raising"]["hooks"]["on_event"]["lastError"] == "ValueError: as always"
    assert not by_name["absent"]["enabled"]
    text = semantest(project, "plugins").stdout
    assert "stuck (our-plugins 1.2): OFF, on_event held the thread of all plugins for more than 1 s" in text
    assert "last error: ValueError: as always" in text
    reason = "cannot be loaded: TypeError: on_evnt is no hook; did you mean on_event?"
    assert f"unheard (our-plugins 1.2): OFF, {reason}" in text
    checks = {check["name"]: check for check in json.loads(semantest(project, "doctor", "--json").stdout)["checks"]}
    assert (checks["plugin raising"]["status"], checks["plugin stuck"]["status"]) == ("warn", "warn")
    assert (checks["plugin unheard"]["status"], checks["plugin unheard"]["detail"]) == ("warn", reason)
    assert checks["plugins"]["status"] == "ok"


def test_at_the_end_a_stuck_plugin_is_blamed_and_not_the_store(project: Path) -> None:
    (project / "semantest.toml").write_text("[plugins]\ntimeout = 3600\n")
    daemon = Daemon(project / ".semantest", PYTHONPATH=path_of(project)).ready()
    connection = daemon.connect()
    connection.send(message_from(1))
    wait_until((project / ".semantest" / "stuck").exists, "the plugin to be stuck")
    code, _out, err = daemon.end()
    connection.close()
    assert "the store is not done" not in err
    assert f"plugins still hold {len(SENT)} events" in err
    assert code == 1


def test_a_thread_of_a_plugin_that_hangs_does_not_hold_the_process(project: Path) -> None:
    (project / "hanging.py").write_text(
        dedent(
            """
            import threading
            from semantest_recorder.plugins import hookimpl

            class Hangs:
                @hookimpl
                def initialize(self, context):
                    threading.Thread(target=threading.Event().wait, daemon=False).start()
            """
        )
    )
    (project / "semantest.toml").write_text('[plugins]\nmodules = ["hanging:Hangs"]\n')
    daemon = Daemon(project / ".semantest", PYTHONPATH=path_of(project)).ready()
    code, _out, _err = daemon.end()
    assert code == 0


def test_the_retry_policy_decides_for_runs_of_clients(project: Path) -> None:
    (project / "semantest.toml").write_text(
        '[plugins]\nenabled = ["retry"]\n[plugins.retry]\nretries = 1\nonly = ["Timeout"]\n'
    )
    daemon = Daemon(project / ".semantest").ready()
    connection = daemon.connect()

    def say(kind: str, payload: dict[str, Any]) -> None:
        connection.send(json.dumps({"id": kind, "type": kind, "payload": payload}))

    def ended(test_id: str, error: str) -> None:
        content = {"testId": test_id, "status": "failed", "duration": 1, "error": {"type": error, "message": "m"}}
        say("event", {"id": test_id, "type": "test/end", "timestamp": time.time() * 1000, "payload": content})

    say("startTestRun", {"runId": "r"})
    say("subscribe", {"eventTypes": ["test/retry"]})
    ended("other", "AssertionError")
    ended("flaky", "TimeoutError")
    ended("flaky", "TimeoutError")
    ended("last", "TimeoutError")
    retried: list[str] = []
    while len(retried) < 2:
        message = json.loads(connection.recv())
        assert message["type"] != "error", message
        if message["type"] == "event" and message["payload"]["type"] == "test/retry":
            retried.append(message["payload"]["payload"]["testId"])
    connection.close()
    daemon.end()
    assert retried == ["flaky", "last"]


def test_suites_are_told_once_whether_a_client_says_them_or_their_tests_do(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["telling"]\ndisabled = ["*"]\n')
    daemon = Daemon(project / ".semantest", PYTHONPATH=path_of(project)).ready()
    connection = daemon.connect()

    def say(kind: str, **content: Any) -> None:
        said = {"id": "e", "type": kind, "timestamp": time.time() * 1000, "payload": content}
        connection.send(json.dumps({"id": "e", "type": "event", "payload": said}))

    def ask(kind: str, payload: Any) -> None:
        connection.send(json.dumps({"id": kind, "type": kind, "payload": payload}))
        answer = json.loads(connection.recv())
        assert answer["type"] in ("testRunStarted", "testRunEnded"), answer

    ask("startTestRun", {"runId": "r"})
    say("test/suite/start", suiteId="said", suiteName="Said", totalTests=1)
    say("test/suite/start", suiteId="said", suiteName="Said again")
    say("test/start", testId="one", testName="one", suiteId="said")
    say("test/end", testId="one", status="passed", duration=1)
    say("test/suite/end", suiteId="said", passedTests=1)
    say("test/start", testId="a.py::follows", testName="a.py::follows")
    say("test/end", testId="a.py::follows", status="passed", duration=1)
    say("test/start", testId="b.py::both", testName="b.py::both")
    say("test/suite/start", suiteId="b.py", suiteName="b.py")
    say("test/end", testId="b.py::both", status="passed", duration=1)
    ask("endTestRun", {"runId": "r"})
    say("test/suite/end", suiteId="b.py", passedTests=1)
    connection.close()
    wait_until(lambda: ["after_test_run", "passed", 3] in told(project), "the end of the run")
    daemon.end()
    suites = [line for line in told(project) if line[0] in ("before_suite", "after_suite")]
    assert sorted(suites) == [
        ["after_suite", "a.py", 1],
        ["after_suite", "b.py", 1],
        ["after_suite", "said", 1],
        ["before_suite", "a.py"],
        ["before_suite", "b.py"],
        ["before_suite", "said"],
    ]


def test_where_the_log_is_json_lines_of_the_console_are_records(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["console", "telling"]\ndisabled = ["*"]\n')
    daemon = Daemon(project / ".semantest", "--log-format", "json", PYTHONPATH=path_of(project)).ready()
    assert send(daemon)["type"] == "ack"
    wait_until(lambda: ["after_test_run", "passed", 1] in told(project), "the end of the run")
    _code, _out, err = daemon.end()
    records = [json.loads(line) for line in err.splitlines()]
    said = [record["message"] for record in records if record["logger"] == "semantest.plugins.console"]
    assert said[:2] == [f"run {RUN} started", "PASSED    a.py::t  1 ms"]
    assert said[2].startswith(f"run {RUN}: passed, 1 passed")

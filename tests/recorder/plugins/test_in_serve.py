"""Plugins in a real recorder: found by their entry point, set up by ``semantest.toml``, contained whatever they do."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest

from semantest_recorder.core.marking import crc_of
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, answer_of, environment, run, wait_until
from tests.recorder.store.ingesting import MAIN, RUN, begin, event, passed

MODULE = """
import asyncio, json, time
from pathlib import Path
from semantest_recorder.plugins import DROP, hookimpl

class Changing:
    @hookimpl
    def initialize(self, context):
        self.word = context.options["word"]

    @hookimpl
    async def on_event(self, event):
        await asyncio.sleep(0)
        if event.type == "test/log":
            return event.replace(payload={**event.payload, "message": self.word})

@hookimpl
def on_event(event):
    return DROP if event.type == "custom/noise" else None

class Raising:
    @hookimpl
    def on_event(self, event):
        if event.type == "custom/raise":
            raise ValueError("as always")

class Stuck:
    @hookimpl
    def initialize(self, context):
        self.sign = context.directory / "stuck"

    @hookimpl
    def on_event(self, event):
        if event.type == "custom/stuck":
            self.sign.touch()
            time.sleep(300)

class Unheard:
    @hookimpl
    def on_evnt(self, event): ...

class Telling:
    @hookimpl
    def initialize(self, context):
        self.file = context.directory / "told.jsonl"
        self.tell("initialize", context.restarted)

    def tell(self, *what):
        with self.file.open("a") as file:
            file.write(json.dumps(what) + "\\\\n")

    @hookimpl
    def before_test_run(self, run): self.tell("before_test_run", run.run_id)
    @hookimpl
    def before_suite(self, suite): self.tell("before_suite", suite.suite_id)
    @hookimpl
    def before_test(self, test): self.tell("before_test", test.test_id)
    @hookimpl
    async def after_test(self, test): self.tell("after_test", test.test_id, test.outcome)
    @hookimpl
    def after_suite(self, suite): self.tell("after_suite", suite.suite_id, suite.passed_tests)
    @hookimpl
    def after_test_run(self, run): self.tell("after_test_run", run.state, run.passed_tests)
    @hookimpl
    def on_error(self, failure): self.tell("on_error", failure.plugin, failure.timed_out)
    @hookimpl
    async def destroy(self): self.tell("destroy")
""".replace("\\\\n", "\\n")
ENTRY_POINTS = """
[semantest.plugins]
changing = our_plugins:Changing
dropping = our_plugins
raising = our_plugins:Raising
stuck = our_plugins:Stuck
telling = our_plugins:Telling
absent = our_plugins:NotThere
unheard = our_plugins:Unheard
"""
SETTINGS = """
[plugins]
enabled = ["changing", "json-report", "console"]
timeout = 1
[plugins.changing]
word = "changed"
"""
SENT = [
    begin(),
    event("test/log", testId="a.py::t", message="sent"),
    event("custom/noise", level=1),
    event("custom/raise"),
    event("custom/stuck"),
    event("custom/token", headers={"Authorization": "Bearer abcdefgh"}),
    *passed("a.py::t"),
    event("run/end", 200.0, runId=RUN, exitCode=0, stoppedEarly=False),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and beside it a folder with a distribution that brings plugins."""
    info = tmp_path / "installed" / "our_plugins-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-plugins\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info.parent / "our_plugins.py").write_text(MODULE)
    (tmp_path / "semantest.toml").write_text(SETTINGS)
    return tmp_path


def path_of(project: Path) -> str:
    """The distribution before whatever this process itself has on its path."""
    return os.pathsep.join(filter(None, (str(project / "installed"), os.environ.get("PYTHONPATH"))))


@pytest.fixture
def daemon(project: Path) -> Iterator[Daemon]:
    found = Daemon(project / ".semantest", PYTHONPATH=path_of(project)).ready()
    yield found
    if found.process.poll() is None:
        found.process.kill()
        found.process.communicate()


def message_from(first: int) -> str:
    events = [{"type": sent.type, "timestamp": sent.timestamp, "payload": sent.payload} for sent in SENT]
    message = {"type": "events", "source": MAIN, "firstSeq": first, "events": events[first - 1 :]}
    return msgspec.json.encode(message).decode()


def send(daemon: Daemon, first: int = 1) -> dict[str, Any]:
    connection = daemon.connect()
    try:
        connection.send(message_from(first))
        answer: dict[str, Any] = json.loads(connection.recv())
        return answer
    finally:
        connection.close()


def semantest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments],
        cwd=project,
        env=environment(PYTHONPATH=path_of(project)),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def rows(project: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project / ".semantest" / "semantest.db")) as connection:
        return connection.execute(sql).fetchall()


def told(project: Path) -> list[list[Any]]:
    return [json.loads(line) for line in (project / ".semantest" / "told.jsonl").read_text().splitlines()]


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


def test_without_a_recorder_plugins_shows_what_one_would_load(project: Path) -> None:
    shown = semantest(project, "plugins")
    assert shown.returncode == 0
    assert shown.stdout.startswith("no recorder runs; it would load:\n  changing (our-plugins 1.2)\n")
    assert "absent (our-plugins 1.2): OFF, cannot be loaded: AttributeError" in shown.stdout


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('enabled = ["chnging"]', "no plugin 'chnging' is installed; did you mean 'changing'?"),
        ("[plugins.consle]\nslowest = 1", "no plugin 'consle' is installed; did you mean 'console'?"),
        ('[plugins.event-filter]\nfield = ["card"]', "[plugins.event-filter] no option 'field'; did you mean fields?"),
        ('[plugins.event-filter]\npatterns = ["CARD-[0-9+"]', "'CARD-[0-9+' is no regular expression"),
        ("timeout = 0", "timeout is a number of seconds from 0.01"),
    ],
)
def test_a_section_that_names_what_there_is_not_is_refused_in_one_line(project: Path, section: str, said: str) -> None:
    (project / "semantest.toml").write_text(f"[plugins]\n{section}\n")
    daemon = Daemon(project / ".semantest", PYTHONPATH=path_of(project))
    code, _out, err = daemon.process.wait(DEADLINE_S), *daemon.process.communicate()
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1
    shown = semantest(project, "plugins")
    assert (shown.returncode, said in shown.stderr) == (2, True)


def test_why_no_recorder_started_stands_in_its_log_with_the_time(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["chnging"]\n')
    said = "[plugins] no plugin 'chnging' is installed; did you mean 'changing'?"
    for style in ("text", "json"):
        started = run("start", "--log-format", style, cwd=project, PYTHONPATH=path_of(project))
        assert (started.returncode, started.stderr) == (2, f"semantest-recorder: {said}\n")
    text, record = (project / ".semantest" / "recorder.log").read_text().splitlines()
    assert re.fullmatch(rf"[\d-]+T[\d:.]+Z ERROR {re.escape(said)}", text)
    assert (json.loads(record)["level"], json.loads(record)["message"]) == ("error", said)


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


def test_a_plugin_whose_options_are_wrong_is_off_and_the_recorder_serves(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["console"]\n[plugins.console]\nslowst = 1\n')
    daemon = Daemon(project / ".semantest").ready()
    assert send(daemon)["type"] == "ack"
    reason = "[plugins.console] no option 'slowst'; did you mean slowest?"
    assert f"  console (built-in): OFF, {reason}\n" in semantest(project, "plugins").stdout
    checks = {check["name"]: check for check in json.loads(semantest(project, "doctor", "--json").stdout)["checks"]}
    assert (checks["plugin console"]["status"], checks["plugin console"]["detail"]) == ("warn", reason)
    _code, _out, err = daemon.end()
    (line,) = [line for line in err.splitlines() if "slowst" in line]
    assert line.endswith(f"ERROR plugin console is disabled until the recorder starts again: {reason}")
    assert "Traceback" not in err


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


OWN_MODULE = """
from semantest_recorder.plugins import hookimpl

class Signing:
    @hookimpl
    def initialize(self, context):
        self.name = context.options["name"]

    @hookimpl
    def on_event(self, event):
        if event.type == "test/log":
            return event.replace(payload={**event.payload, "signed": self.name})

@hookimpl
def on_event(event):
    if event.type == "test/log":
        return event.replace(payload={**event.payload, "seen": True})
"""
OWN_SETTINGS = """
[plugins]
modules = ["own.signing", "own.signing:Signing", "own.broken", "own.absent:Plugin", "own.signing:Signing.nothing"]
disabled = ["*"]
[plugins."own.signing:Signing"]
name = "us"
"""


def test_plugins_in_modules_beside_the_configuration_need_no_installation(project: Path) -> None:
    (project / "own").mkdir()
    (project / "own" / "signing.py").write_text(OWN_MODULE)
    (project / "own" / "broken.py").write_text("raise ImportError('needs a library')")
    (project / "semantest.toml").write_text(OWN_SETTINGS)
    daemon = Daemon(project / ".semantest").ready()
    assert send(daemon)["type"] == "ack"
    (stored,) = rows(project, "SELECT payload FROM events WHERE type = 'test/log'")
    assert json.loads(stored[0]) == {"testId": "a.py::t", "message": "sent", "seen": True, "signed": "us"}
    shown = json.loads(semantest(project, "plugins", "--json").stdout)["plugins"]
    _code, _out, err = daemon.end()
    assert [(plugin["name"], plugin["origin"]) for plugin in shown if plugin["enabled"]] == [
        ("own.signing", "configuration"),
        ("own.signing:Signing", "configuration"),
    ]
    reasons = {plugin["name"]: plugin["disabledBecause"] for plugin in shown if plugin["name"].startswith("own")}
    assert reasons["own.broken"] == "cannot be loaded: ImportError: needs a library"
    assert reasons["own.absent:Plugin"] == "cannot be loaded: ModuleNotFoundError: No module named 'own.absent'"
    assert reasons["own.signing:Signing.nothing"].startswith("cannot be loaded: AttributeError")
    assert "plugin own.broken cannot be loaded: ImportError: needs a library" in err


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

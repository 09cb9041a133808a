"""A project whose recorder has plugins of every kind, and what is said to that recorder."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, environment
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


def path_of(project: Path) -> str:
    """The distribution before whatever this process itself has on its path."""
    return os.pathsep.join(filter(None, (str(project / "installed"), os.environ.get("PYTHONPATH"))))


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

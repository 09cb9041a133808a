"""The wire from Node: a client with the `ws` package exercises every message against a real recorder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from semantest_recorder.core.commands import COMMANDS
from semantest_recorder.core.messages import Tagged
from tests.recorder.cli_recorder.daemons import Daemon

CLIENT = Path(__file__).with_name("node_client.mjs")


def missing(what: str) -> None:
    """In CI a failure, elsewhere a loud skip."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: Node's side of the wire was not tested")
    pytest.skip(f"{what.upper()}: Node's side of the wire was not tested")


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ``ws`` package."""
    folder = tmp_path_factory.mktemp("node")
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing("no node and npm")
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "ws@^8"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        missing(f"no package ws: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / ".semantest", "--allow-anonymous")
    yield daemon.ready()
    daemon.end()


@pytest.mark.index
def test_node_speaks_every_message(node_folder: Path, daemon: Daemon) -> None:
    found = daemon.discovery
    url = found["url"].replace("http", "ws", 1) + "/"
    command = ["node", str(CLIENT), url, found["token"]]
    done = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert set(told["connected"]) == {"clientId", "protocolVersion", "serverVersion"}
    assert told["info"]["version"] == told["connected"]["serverVersion"]
    assert (told["health"]["status"], told["client"]["name"]) == ("ok", "anonymous")
    assert (told["echo"], told["pong"]) == ({"a": [1, "ü"]}, {"n": 1})
    assert told["unknown"]["code"] == "METHOD_NOT_FOUND"
    assert told["unknown"]["message"].startswith("no method 'fly'")
    assert (told["started"]["status"], told["started"]["name"]) == ("running", "From Node")
    assert [problem["code"] for problem in told["refused"]["details"]] == ["MISSING_TEST_STATUS", "INVALID_DURATION"]
    assert [run["runId"] for run in told["active"]] == ["node-run"]
    assert (told["status"]["passedTests"], told["status"]["failedTests"]) == (1, 1)
    assert (told["ended"]["status"], told["ended"]["state"], told["ended"]["completedSuites"]) == (
        "completed",
        "failed",
        1,
    )
    first, second = told["results"]["results"]
    assert (first["testId"], first["assertions"], first["screenshots"]) == (
        "t1",
        {"passed": 1, "failed": 0, "total": 1},
        ["page.png"],
    )
    assert (second["status"], second["error"]["message"]) == ("failed", "no")
    assert told["statistics"]["totalTestRuns"] == 1
    assert (told["security"]["validEvents"], told["security"]["invalidEvents"]) == (10, 1)
    assert len(told["events"]["events"]) == 12
    assert (told["valid"], told["invalid"]["valid"]) == ({"valid": True}, False)
    assert told["watched"].count("test/end") == 2
    assert told["watched"][-1] == "run/end"
    forbidden = ("cancelTestRun", "replayEvents", "updatePolicy")
    assert {told[f"anonymous {name}"] for name in forbidden} == {"FORBIDDEN"}
    assert (told["replayEnded"]["events"], told["replayEnded"]["completed"]) == (12, True)
    assert told["policy"]["maxEventSize"] == 4096
    assert told["cancelled"]["status"] == "cancelled"


def test_the_client_exercises_all_there_is() -> None:
    text = CLIENT.read_text()
    shippers_own = {"events"}
    messages = {str(kind.__struct_config__.tag) for kind in get_args(Tagged)} - shippers_own
    assert [name for name in (*messages, *COMMANDS) if f'"{name}"' not in text] == []

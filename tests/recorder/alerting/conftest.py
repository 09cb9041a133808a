"""A recorder with rules, and somebody who is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.leftovers import end_processes_of
from tests.recorder.cli.recording import Recording
from tests.recorder.cli_recorder.daemons import Daemon, ask
from tests.recorder.notify.receiver import Receiver, Reply, receiving

BROKEN, FINE = "tests/test_a.py::test_broken", "tests/test_a.py::test_fine"
RULES = """
    [alerts.channels.team]
    kind = "webhook"
    url-env = "TEAM_URL"
    secret-env = "TEAM_SECRET"
    timeout = 60
    [alerts.rules.red]
    kind = "run-failed"
    branches = ["main", "release/*"]
    severity = "critical"
    channels = ["team"]
"""
MORE_RULES = """
    [alerts.rules.news]
    kind = "new-failure"
    branches = ["main"]
    [alerts.rules.hangs]
    kind = "hanging-test"
    at-least = "1s"
    new-after = "1s"
"""
PATH = "/hooks/xyTopSecretyx"


class Watched:
    """A project whose recorder tells a receiver; ``record`` sends a run as a shipper would."""

    def __init__(self, root: Path, receiver: Receiver) -> None:
        self.root, self.receiver = root, receiver
        self.folder = root / ".semantest"
        self.daemons: list[Daemon] = []
        self._runs = 0

    def configure(self, text: str) -> None:
        (self.root / "semantest.toml").write_text(dedent(text))

    def serve(self) -> Daemon:
        secret = {"TEAM_URL": self.receiver.url + PATH, "TEAM_SECRET": "sign-with-this"}
        self.daemons.append(Daemon(self.folder, **secret).ready())
        return self.daemons[-1]

    def end(self) -> None:
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.communicate()
        end_processes_of(self.root)

    def record(self, outcomes: dict[str, str], branch: str = "main", *, end: bool = True) -> str:
        """The id of a run that has just been; returns when it is acknowledged."""
        self._runs += 1
        run = Recording(f"20261122-{self._runs:06d}-a1b2c3", start_ms=time.time() * 1000 - 500)
        run.start()
        run.plan(*outcomes)
        run.add("main", "run/context", {"git": {"branch": branch, "commit": "1" * 40}})
        for test_id, outcome in outcomes.items():
            if outcome == "running":
                run.begin(test_id)
            else:
                run.test(test_id, outcome)
        if end:
            run.end(int("failed" in outcomes.values()))
        connection = self.daemons[-1].connect()
        events = [json.loads(body) for body in run.bodies["main"]]
        message = {"type": "events", "source": f"{run.session}.main", "firstSeq": 1, "events": events}
        assert ask(connection, message)["type"] == "ack"
        connection.close()
        return run.run_id

    def told(self) -> tuple[str, str]:
        """State and title of the next message; waits for it."""
        body = self.receiver.next().json
        return body["state"], body["title"]


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def watched(tmp_path: Path, server: Receiver) -> Iterator[Watched]:
    """A project of the test's own, to start recorders in."""
    server.reply = lambda _request: Reply()
    found = Watched(tmp_path, server)
    yield found
    found.end()


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory, server: Receiver) -> Iterator[Watched]:
    """A recorder for all tests that kill none; in the end no secret is in its log or its database."""
    found = Watched(tmp_path_factory.mktemp("shared"), server)
    found.configure(RULES + MORE_RULES)
    daemon = found.serve()
    yield found
    code, _out, err = daemon.end()
    found.end()
    assert code == 0
    for secret in ("xyTopSecretyx", "sign-with-this"):
        assert secret not in err
        assert secret.encode() not in (found.folder / "semantest.db").read_bytes()


@pytest.fixture
def shared(recorder: Watched) -> Watched:
    """That recorder; its receiver is kind again. Each test has branches of its own."""
    recorder.receiver.reply = lambda _request: Reply()
    assert recorder.receiver.received.empty()
    return recorder

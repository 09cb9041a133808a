"""How often a recorder is started, and which one is believed, when those of others are in the way."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_semantest.protocol.discovery_file import Discovery, write_discovery
from pytest_semantest.protocol.layout import RECORDER_LOCK, STARTING_LOCK
from pytest_semantest.shipper.rendezvous import START_S, Endpoint, Rendezvous, UnreachableError
from tests.leftovers import end_processes_of
from tests.shipper.test_shipping import wait_until


@pytest.fixture
def project(directory: Path) -> Iterator[Path]:
    """The ``.semantest`` folder; the recorders that a test had started for it end with the test."""
    yield directory
    end_processes_of(directory)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, which nobody else gets meanwhile."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


class Looking:
    """A rendezvous whose every address is tried in vain."""

    def __init__(self, directory: Path) -> None:
        self.log: list[str] = []
        self.found: list[Endpoint] = []
        self.told: list[str] = []
        self.rendezvous = Rendezvous(directory, self.log.append)

    @property
    def starts(self) -> int:
        return len([line for line in self.log if line.startswith("started a recorder")])

    def look(self, now: float = 1.0) -> None:
        try:
            endpoint = self.rendezvous.find(now)
        except UnreachableError as error:
            self.told.append(str(error))
            return
        if endpoint is not None:
            self.found.append(endpoint)
            self.rendezvous.failed(endpoint)

    def look_until(self, condition: Callable[[], object], what: str) -> None:
        def looked() -> bool:
            self.look()
            return bool(condition())

        wait_until(looked, f"{what}: {self.log} {self.told}")

    def look_until_found(self, times: int) -> None:
        self.look_until(lambda: len(self.found) >= times, "an address, again and again")


def discovered(directory: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads((directory / "recorder.json").read_bytes())
    except FileNotFoundError:
        return {}
    return found


def test_a_recorder_in_another_container_is_tried_again_and_no_process_started_for_it(
    project: Path, closed_port: int
) -> None:
    looking = Looking(project)
    with FileLock(project / RECORDER_LOCK):
        write_discovery(project, Discovery(os.getpid(), f"http://127.0.0.1:{closed_port}", "smt_x", "0", 1))
        looking.look_until_found(50)
        assert looking.starts == 1
        assert looking.told == []
        # It writes its file again: what was said of the one before is over.
        write_discovery(project, Discovery(os.getpid(), f"http://127.0.0.1:{closed_port}", "smt_y", "0", 1))
        looking.look_until_found(100)
        assert looking.starts == 2
        assert looking.found[-1].token == "smt_y"
    # It is gone, and its file is still there, until the next one comes.
    looking.look_until(lambda: discovered(project).get("token", "smt_y") != "smt_y", "a recorder of our own")
    assert looking.starts == 3


def test_a_recorder_whose_process_cannot_be_seen_is_told(project: Path, closed_port: int) -> None:
    looking = Looking(project)
    with FileLock(project / RECORDER_LOCK):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            write_discovery(project, Discovery(process.pid, f"http://127.0.0.1:{closed_port}", "smt_x", "0", 1))
            looking.look_until_found(2)
            process.kill()
        looking.look()
        assert looking.told == [f"a recorder that cannot be seen from here, in another container say, serves {project}"]
        assert looking.starts == 1


def test_the_end_of_an_earlier_recorder_is_not_blamed_on_the_one_that_another_shipper_starts(project: Path) -> None:
    (project.parent / "semantest.toml").write_text("[plugins.performanc]\nslow = 5\n")
    looking = Looking(project)
    looking.look_until(lambda: looking.told, "the recorder to end")
    assert "no plugin 'performanc' is installed" in looking.told[0]
    with FileLock(project / STARTING_LOCK):
        looking.look()
        looking.look()
        assert len(looking.told) == 1
        looking.look(1.0 + START_S + 0.1)
        assert "the recorder did not come up" in looking.told[1]
        looking.look()
    looking.look_until(lambda: looking.starts == 2, "a start of its own when the other one gave up")

"""Whole systems: real pytest, shipper, recorder and command line in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.leftovers import end_processes_of
from tests.recorder.cli.command import semantest_in
from tests.user_environment import WITHOUT_HYPOTHESIS

#: Nothing here takes nearly as long; a machine that is busy with other things may.
PATIENCE_S = 60.0

#: ``watched.py`` of a project, for tests that must not die before the shipper of their session could look at them.
WATCHED = """
import glob, json, os, time

def wait_until_watched():
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    deadline = time.monotonic() + 60
    while not any(read_of(path, worker) for path in glob.glob(".semantest/sessions/*/ship.json")):
        assert time.monotonic() < deadline, "no shipper has read a record of this process"
        time.sleep(0.01)

def read_of(path, worker):
    with open(path, "rb") as file:
        return json.loads(file.read())["sources"].get(worker, {}).get("read", 0)
"""


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Wait until the condition gives something true, and give that. Fails the test when it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    return pytest.fail(f"waited {seconds:g} s in vain for {what}")


@dataclass
class Project:
    """A folder with tests, its ``.semantest`` folder, and the commands of a user in it."""

    path: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    #: Whose pytest it is, and what its environment holds besides.
    python: str = sys.executable
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.path / ".semantest"

    def environment(self) -> dict[str, str]:
        dropped = ("SEMANTEST", "PYTEST_", "CI")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        kept |= {name: os.environ[name] for name in ("SEMANTEST_COVERAGE",) if name in os.environ}
        own = {"ORACLE": str(self.path / "oracle"), "PYTHONPATH": ""}
        return kept | WITHOUT_HYPOTHESIS | own | self.variables

    def start_pytest(self, *args: str, recorded: bool = True, interruptible: bool = True) -> subprocess.Popen[str]:
        """``interruptible``: a shell starts programs in the background with SIGINT ignored."""
        command = [
            self.python,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            *(["--semantest"] if recorded else []),
            *args,
        ]
        handling = signal.SIG_DFL if interruptible else signal.SIG_IGN
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, handling),  # noqa: PLW1509
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        return process

    def pytest(self, *args: str, recorded: bool = True) -> tuple[int, str]:
        """Exit code and output of one pytest."""
        process = self.start_pytest(*args, recorded=recorded)
        output, _ = process.communicate(timeout=PATIENCE_S * 2)
        return process.returncode, output

    def semantest(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-m", "semantest_recorder.cli.semantest", *args],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,
            check=False,
        )

    def recorder(self, *args: str) -> subprocess.CompletedProcess[str]:
        """``semantest-recorder``; what it starts holds none of our pipes."""
        return subprocess.run(
            [self.python, "-m", "semantest_recorder.cli.recorder", *args],
            cwd=self.path,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,
            check=False,
        )

    def report(self, *args: str) -> dict[str, Any]:
        """``semantest report --json``, once everything is in the database; in this process."""
        limit = f"--sync-timeout={PATIENCE_S:g}"
        said = semantest_in(self.path, self.environment(), "report", "--json", limit, *args)
        assert said.out, said.err
        found: dict[str, Any] = said.json
        return found

    def oracle(self) -> list[str]:
        """What the tests themselves wrote down: lines such as ``start test_n[3] 4711``."""
        with suppress(FileNotFoundError):
            return (self.path / "oracle").read_text().splitlines()
        return []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.directory / 'semantest.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def shipper_pid(self) -> int | None:
        """The pid in ``ship.json`` of the only session, once it is there."""
        for path in self.directory.glob("sessions/*/ship.json"):
            with suppress(OSError, ValueError, KeyError):
                return int(json.loads(path.read_bytes())["pid"])
        return None

    def recorder_pid(self) -> int | None:
        with suppress(OSError, ValueError, KeyError):
            return int(json.loads((self.directory / "recorder.json").read_bytes())["pid"])
        return None

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        end_processes_of(self.path)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project without tests yet."""
    project = Project(tmp_path)
    yield project
    project.end()


def states(report: dict[str, Any]) -> dict[str, str]:
    """State by test name."""
    return {test["name"]: test["state"] for test in report["tests"]}

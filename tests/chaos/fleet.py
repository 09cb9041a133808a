"""The processes of a campaign: pytest, its workers, shippers and the recorder, all on one ``.semantest`` folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.chaos.oracle import Deaths
from tests.chaos.plan import Run
from tests.chaos.suite import OPTIONS, write_suites
from tests.leftovers import end_processes_of
from tests.user_environment import WITHOUT_HYPOTHESIS

_DROPPED = ("SEMANTEST", "PYTEST_", "COVERAGE_", "CI")
#: For the last lines of a run, and for what is left over when all faults are mended.
_FLUSH_S = 3
SEMANTEST = (sys.executable, "-m", "semantest_recorder.cli.semantest")
SYNC_S = 180.0


@dataclass
class Running:
    """One pytest that was started."""

    run_id: str
    process: subprocess.Popen[bytes]
    output: Path


class Fleet:
    """Starts and finds processes; notes in ``deaths`` which of them the campaign ended."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.folder = root / ".semantest"
        self.oracle = root / "oracle"
        #: The database as it is in the end.
        self.copy = root / "end.db"
        self.deaths = Deaths()
        self.running: list[Running] = []
        self._syncing: list[subprocess.Popen[bytes]] = []
        self.exit_codes: dict[str, int] = {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        self.environment = kept | WITHOUT_HYPOTHESIS | environment | {"ORACLE": str(self.oracle)}
        write_suites(root)

    def semantest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the user's, to its end."""
        return subprocess.run(
            [*SEMANTEST, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def sync_beside(self) -> Callable[[], None]:
        """Starts a ``semantest sync`` as somebody might at any moment; gives what ends it, politely."""
        process = subprocess.Popen(
            [*SEMANTEST, "sync", "--timeout", "20"],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._syncing.append(process)
        return process.terminate

    def start(self, number: int, run: Run, through: dict[str, str]) -> None:
        """Starts a pytest; ``through``: variables for one that reaches the recorder by the proxy."""
        run_id = f"chaos-{number}"
        output = self.root / f"{run_id}.out"
        command = [sys.executable, "-m", "pytest", run.suite, "--semantest", "-p", "no:cacheprovider"]
        command += [f"--semantest-flush-timeout={_FLUSH_S}", "-n", str(run.workers), *OPTIONS[run.suite]]
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.environment | {"SEMANTEST_RUN_ID": run_id} | (through if run.proxied else {}),
                stdout=file,
                stderr=subprocess.STDOUT,
                preexec_fn=_default_interrupt,  # noqa: PLW1509
            )
        self.running.append(Running(run_id, process, output))

    def reap(self) -> None:
        """Takes note of those that have ended."""
        for one in list(self.running):
            code = one.process.poll()
            if code is not None:
                self.running.remove(one)
                self.exit_codes[one.run_id] = code
        self._syncing = [process for process in self._syncing if process.poll() is None]

    def workers(self) -> list[psutil.Process]:
        """xdist's workers of all that run."""
        found = []
        for one in self.running:
            found += _children(one.process.pid)
        return [process for process in found if _is_worker(process)]

    def shippers(self) -> list[int]:
        """Pids of the shippers of all sessions that are there."""
        return [pid for path in self.folder.glob("sessions/*/ship.json") if (pid := _pid_in(path)) is not None]

    def recorder(self) -> int | None:
        """Pid of the recorder that the folder names."""
        return _pid_in(self.folder / "recorder.json")

    def port(self) -> int | None:
        """Where the recorder listens."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return urlsplit(str(json.loads((self.folder / "recorder.json").read_bytes())["url"])).port
        return None

    def note_death(self, pid: int) -> None:
        """The process, and what it started, may leave attempts without an end."""
        self.deaths.pids |= {pid, *(child.pid for child in _children(pid))}

    def end(self) -> None:
        """Leaves no process behind."""
        for process in (*(one.process for one in self.running), *self._syncing):
            process.kill()
            process.wait()
        end_processes_of(self.root)


def send(pid: int, number: signal.Signals) -> bool:
    """Sends a signal; whether there was somebody to take it."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _default_interrupt() -> None:
    """As in a terminal: a campaign in a shell's background would hand on that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("sys.stdin" in word for word in process.cmdline())
    except psutil.Error:
        return False


def _pid_in(path: Path) -> int | None:
    """The pid in a file of ours, if that process still is one of ours: numbers are used again."""
    with suppress(OSError, ValueError, KeyError, TypeError, psutil.Error):
        pid = int(json.loads(path.read_bytes())["pid"])
        if "semantest" in " ".join(psutil.Process(pid).cmdline()):
            return pid
    return None

"""A session's events as pytest would write them, put into a database by the real writer or into journal files."""

from __future__ import annotations

import json
import os
import queue
from pathlib import Path
from typing import Any

import msgspec

from pytest_semantest.protocol.record import encode
from semantest_recorder.core.batch import Batch, Committed, RawEvent, Verdict
from semantest_recorder.store.writer import Writer

START = 1_795_253_400_000.0
RUN = "20261121-093000-a1b2c3"
DEAD_PID = 2**22 + 1  # larger than any pid of Linux
_SECONDS = 30.0


class Recording:
    """Events of one session, by worker. Times go on by 10 ms per event."""

    def __init__(self, session: str = RUN, *, start_ms: float = START, run_id: str | None = None, pid: int = DEAD_PID):
        self.session = session
        self.run_id = run_id or session
        self.pid = pid
        self.now = start_ms
        self.bodies: dict[str, list[bytes]] = {}

    def add(self, worker: str, kind: str, payload: dict[str, Any]) -> None:
        self.now += 10
        body = json.dumps({"type": kind, "timestamp": self.now, "payload": payload}, separators=(",", ":"))
        self.bodies.setdefault(worker, []).append(body.encode())

    def start(self, worker: str = "main", **more: Any) -> None:
        facts = {
            "runId": self.run_id,
            "session": self.session,
            "source": f"{self.session}.{worker}",
            "worker": worker,
            "pid": self.pid,
            "host": os.uname().nodename,
            "processStart": None,
        }
        if worker == "main":
            facts |= {"rootdir": "/home/dev/project", "cwd": "/home/dev/project", "args": ["tests"], "labels": {}}
        self.add(worker, "run/start" if worker == "main" else "worker/start", facts | more)

    def plan(self, *tests: str) -> None:
        self.add("main", "run/plan", {"tests": list(tests), "offset": 0, "total": len(tests), "deselected": 0})

    def begin(self, test_id: str, worker: str = "main", attempt: int = 1, **more: Any) -> None:
        payload = {"testId": test_id, "testName": test_id.rpartition("::")[2], "attempt": attempt}
        self.add(worker, "test/start", payload | {"file": test_id.partition("::")[0], "line": 3} | more)

    def test(self, test_id: str, outcome: str = "passed", worker: str = "main", attempt: int = 1, **more: Any) -> None:
        self.begin(test_id, worker, attempt)
        self.close(test_id, outcome, worker, attempt, **more)

    def close(self, test_id: str, outcome: str = "passed", worker: str = "main", attempt: int = 1, **more: Any) -> None:
        """``test/end`` of a test that was begun."""
        status = {"passed": "passed", "xpassed": "passed", "skipped": "skipped", "xfailed": "skipped"}
        payload: dict[str, Any] = {
            "testId": test_id,
            "attempt": attempt,
            "status": status.get(outcome, "failed"),
            "outcome": outcome,
            "duration": 5.0,
            "phases": {"setup": 1.0, "call": 3.0, "teardown": 1.0},
        }
        if outcome in ("failed", "error"):
            payload["error"] = {
                "message": "assert 1 == 2",
                "type": "AssertionError",
                "stack": "def test():\n>   assert 1 == 2\nE   assert 1 == 2",
                "file": test_id.partition("::")[0],
                "line": 4,
                "phase": "call",
            }
            payload["logs"] = [{"stream": "stdout", "phase": "call", "text": "printed by the test\n"}]
        self.add(worker, "test/end", payload | more)

    def end(self, exit_code: int = 0, worker: str = "main", **more: Any) -> None:
        if worker == "main":
            payload = {"runId": self.run_id, "exitCode": exit_code, "stoppedEarly": False}
            self.add(worker, "run/end", payload | more)
        else:
            self.add(worker, "worker/end", {"runId": self.run_id, "worker": worker, "exitCode": exit_code})

    def store(self, directory: Path, received_ms: float | None = None) -> None:
        """Put everything into the directory's database; every batch must be committed."""
        directory.mkdir(parents=True, exist_ok=True)
        writer = Writer(directory / "semantest.db")
        verdicts: queue.Queue[Verdict] = queue.Queue()
        try:
            for worker, bodies in self.bodies.items():
                events = [msgspec.json.decode(body, type=RawEvent) for body in bodies]
                writer.submit(Batch(f"{self.session}.{worker}", 1, events, received_ms or self.now), verdicts.put)
            for _ in self.bodies:
                verdict = verdicts.get(timeout=_SECONDS)
                assert isinstance(verdict, Committed), verdict
        finally:
            writer.close()

    def journal(self, directory: Path) -> Path:
        """Write everything into journal files of the directory; the session's folder."""
        folder = directory / "sessions" / self.session
        folder.mkdir(parents=True, exist_ok=True)
        for worker, bodies in self.bodies.items():
            lines = b"".join(encode(seq, body) for seq, body in enumerate(bodies, 1))
            (folder / f"{worker}.journal").write_bytes(lines)
        return folder


def small_run(session: str = RUN, **more: Any) -> Recording:
    """Four tests: passed, failed, flaky, skipped."""
    recording = Recording(session, **more)
    recording.start()
    recording.plan("a.py::test_ok", "a.py::test_bad", "b.py::test_flaky", "b.py::test_skip[1-x]")
    recording.test("a.py::test_ok")
    recording.test("a.py::test_bad", "failed")
    recording.test("b.py::test_flaky", "failed", willRetry=True)
    recording.test("b.py::test_flaky", attempt=2)
    recording.test("b.py::test_skip[1-x]", "skipped", reason="not today")
    recording.end(1)
    return recording


def green_run(
    session: str = RUN, test_id: str = "a.py::test_ok", rerun_of: str | None = None, **more: Any
) -> Recording:
    """One test that passed."""
    recording = Recording(session, **more)
    facts: dict[str, Any] = {} if rerun_of is None else {"rerunOf": [rerun_of]}
    recording.start(**facts)
    recording.plan(test_id)
    recording.test(test_id)
    recording.end(0)
    return recording

"""Sessions on disk as pytest's plugin leaves them, for tests: journals by ``protocol.record.encode``."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.identity import source_name
from pytest_semantest.protocol.record import encode, encode_status

#: A pid that no process has: above the kernel's largest.
NO_PID = 2**22 + 7


def event(kind: str, timestamp: float | None = None, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": time.time() * 1000 if timestamp is None else timestamp, "payload": payload}


def body(kind: str, timestamp: float | None = None, **payload: Any) -> bytes:
    return json.dumps(event(kind, timestamp, **payload), separators=(",", ":")).encode()


@dataclass
class Journal:
    """One journal under construction."""

    folder: Path
    worker: str = "main"
    pid: int = NO_PID
    seq: int = 0
    bodies: list[bytes] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.worker}.journal"

    @property
    def source(self) -> str:
        return source_name(self.folder.name, self.worker)

    def write(self, kind: str, timestamp: float | None = None, **payload: Any) -> int:
        return self.write_body(body(kind, timestamp, **payload))

    def write_body(self, data: bytes) -> int:
        self.seq += 1
        self.bodies.append(data)
        self.write_raw(encode(self.seq, data))
        return self.seq

    def write_raw(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def start(self, *, timestamp: float | None = None, **more: Any) -> None:
        facts: dict[str, Any] = {
            "runId": self.folder.name,
            "session": self.folder.name,
            "source": self.source,
            "worker": self.worker,
            "pid": self.pid,
            "host": os.uname().nodename,
            "rootdir": str(self.folder),
            **more,
        }
        self.write("run/start" if self.worker == "main" else "worker/start", timestamp, **facts)

    def test(self, test_id: str, attempt: int = 1) -> None:
        self.start_test(test_id, attempt)
        self.write("test/end", testId=test_id, attempt=attempt, status="passed", outcome="passed", duration=1.0)

    def start_test(self, test_id: str, attempt: int = 1, timestamp: float | None = None) -> int:
        return self.write("test/start", timestamp, testId=test_id, testName=test_id, attempt=attempt)

    def status(self, seq: int, phase: str) -> None:
        (self.folder / f"{self.worker}.status").write_bytes(encode_status(seq, phase))

    def end(self, exit_code: int = 0) -> None:
        kind = "run/end" if self.worker == "main" else "worker/end"
        self.write(kind, runId=self.folder.name, worker=self.worker, exitCode=exit_code, stoppedEarly=False)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.bodies]


def session(directory: Path, name: str = "20261121-093000-a1b2c3") -> Path:
    folder = directory / "sessions" / name
    folder.mkdir(parents=True)
    return folder

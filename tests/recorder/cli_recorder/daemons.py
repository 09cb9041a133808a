"""Real daemon processes, and a client that resends what was not acknowledged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websocket

DEADLINE_S = 60.0
COMMAND = [sys.executable, "-m", "semantest_recorder.cli.recorder"]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Returns when the condition holds; fails when it does not within the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


def environment(**extra: str) -> dict[str, str]:
    """The test's environment without settings that a developer may have."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEMANTEST")} | extra


def run(*arguments: str | Path, cwd: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Runs ``semantest-recorder`` to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Daemon:
    """``semantest-recorder serve`` in the foreground of a process of its own."""

    def __init__(self, folder: Path, *options: str | Path, **extra: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--directory", str(folder), *map(str, options)],
            env=environment(**extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Daemon:
        """Waits for the line with the address."""
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        assert self.line, self.process.communicate(timeout=DEADLINE_S)
        return self

    @property
    def discovery(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "recorder.json").read_text())
        return found

    def connect(self, **options: Any) -> websocket.WebSocket:
        found = self.discovery
        connection = websocket.create_connection(
            found["url"].replace("http", "ws", 1) + "/ws",
            header={"Authorization": f"Bearer {found['token']}", "X-Semantest-Instance": "tester"},
            suppress_origin=True,
            http_no_proxy=["*"],
            timeout=DEADLINE_S,
            skip_utf8_validation=True,  # as in the Client of tests/recorder/server/running.py
            **options,
        )
        assert json.loads(connection.recv())["payload"]["type"] == "system.connected"
        return connection

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Sends the signal and gives exit code, stdout and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err


def answer_of(url: str, method: str, path: str, bearer: str | None, **headers: str) -> tuple[int, bytes]:
    """Status and body of what the recorder at ``url`` answers; ``Sec_Fetch_Site`` is the header of that name."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Authorization": f"Bearer {bearer}"} if bearer else {}
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=DEADLINE_S)) as connection:
        connection.request(method, path, headers=sent)
        response = connection.getresponse()
        return response.status, response.read()


def ask(connection: websocket.WebSocket, message: object) -> dict[str, Any]:
    """Sends a text, or anything else as JSON, and gives the next message."""
    connection.send(message if isinstance(message, str) else json.dumps(message, separators=(",", ":")))
    answer: dict[str, Any] = json.loads(connection.recv())
    return answer


def end_of(connection: websocket.WebSocket) -> tuple[int, str]:
    """Reads on until the recorder closes: its code and reason."""
    while True:
        frame = connection.frame_buffer.recv_frame()  # recv_data would answer the close, on a socket that may be gone
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            assert isinstance(frame.data, bytes)
            return int.from_bytes(frame.data[:2], "big"), frame.data[2:].decode()

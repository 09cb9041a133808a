"""A recorder's server in a thread of the test process: real writer, real database, real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import websocket
from aiohttp import web

from semantest_recorder.archive import Archive
from semantest_recorder.core.access import AddressRules, Credentials, Identity, Role, digest_of
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.security import Security
from semantest_recorder.core.session import Limits, ServerFacts
from semantest_recorder.server.application import create_application, create_runner
from semantest_recorder.server.artifacts import SILENCE_S, artifact_routes
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.outgoing import MAX_OUTGOING_BYTES
from semantest_recorder.server.peer import MAX_QUEUED_BYTES
from semantest_recorder.server.routes import Route
from semantest_recorder.server.snapshot import snapshot_route
from semantest_recorder.store.artifacts import ArtifactStore
from semantest_recorder.store.writer import Writer
from tests.recorder.cli_recorder.daemons import ask, end_of

TOKEN = "smt_for-the-tests-of-the-server"
#: Nothing here takes nearly as long; a machine that is busy with other things may.
DEADLINE_S = 60.0


class RunningServer:
    """Serves until ``close``; ``hub`` may be looked at, but only its own loop may call it (``call``)."""

    def __init__(
        self,
        database: Path,
        *,
        limits: Limits | None = None,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
        max_outgoing_bytes: int = MAX_OUTGOING_BYTES,
        anonymous: bool = False,
        origins: Iterable[str] = (),
        silence_s: float = SILENCE_S,
        send_buffer: int | None = None,
        more_routes: Callable[[Hub], Iterable[Route]] = lambda _hub: (),
    ) -> None:
        self.database = database
        #: The time at which the hub's clock stands still; ``None`` while it goes.
        self.stands_ms: float | None = None
        self._silence_s = silence_s
        self._send_buffer = send_buffer
        self._more_routes = more_routes
        #: Beside the recorder's own, as ``token`` made them; by SHA-256.
        self._tokens: dict[bytes, Identity] = {}
        self.writer = Writer(database)
        self.writer.is_valid = lambda name: any(name == identity.name for identity in self._tokens.values())
        self._limits = limits or Limits()
        self._max_queued_bytes, self._max_outgoing_bytes = max_queued_bytes, max_outgoing_bytes
        self._anonymous, self._origins = anonymous, tuple(origins)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(DEADLINE_S)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        if self._send_buffer is not None:  # what it accepts has the same
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
        self.port: int = listener.getsockname()[1]
        facts = ServerFacts("0.0.0", 1, 1, time.time() * 1000, self._limits)
        archive = Archive(self.database)
        security = Security(Policy(require_authentication=not self._anonymous))
        self.hub = Hub(
            self.writer,
            facts,
            self._now_ms,
            archive,
            security=security,
            max_queued_bytes=self._max_queued_bytes,
            max_outgoing_bytes=self._max_outgoing_bytes,
        )
        addresses = AddressRules(self.port, origins=self._origins)
        directory = self.database.parent
        routes = [
            *self._more_routes(self.hub),
            *artifact_routes(ArtifactStore(directory), self._silence_s),
            snapshot_route(directory),
        ]
        credentials = Credentials(TOKEN, anonymous=self._anonymous, holder=self._tokens.get)
        self.app = create_application(self.hub, addresses, credentials, routes)
        runner = create_runner(self.app, 0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        self._ready.set()
        await self._stop.wait()
        await self.hub.close("the test is over", 1.0)
        await runner.cleanup()

    def _now_ms(self) -> float:
        return time.time() * 1000 if self.stands_ms is None else self.stands_ms

    def call(self, function: Callable[[], Any]) -> Any:
        """Runs ``function`` in the server's loop and gives what it returns."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(DEADLINE_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE_S)
        self.writer.close()

    def token(self, name: str, *roles: Role) -> str:
        """A new token of this name; one that there was is not valid any more."""
        self.revoke(name)
        token = f"smt_{name}-{len(self._tokens)}"
        self._tokens[digest_of(token)] = Identity(name, frozenset(roles), digest_of(token))
        return token

    def revoke(self, name: str) -> None:
        """From now on there is no token of this name; connections stay."""
        for digest in [digest for digest, identity in self._tokens.items() if identity.name == name]:
            del self._tokens[digest]

    def connect(
        self, token: str = TOKEN, *, instance: str | None = None, run: str | None = None, **options: Any
    ) -> Client:
        headers = [f"Authorization: Bearer {token}"] + ([f"X-Semantest-Instance: {instance}"] if instance else [])
        headers += [f"X-Semantest-Run: {quote(run)}"] if run else []
        return Client(f"ws://127.0.0.1:{self.port}/ws", headers, **options)


class Client:
    """A WebSocket client that speaks JSON and waits at most ``DEADLINE_S``."""

    def __init__(self, url: str, headers: list[str], **options: Any) -> None:
        self.socket = websocket.create_connection(
            url,
            header=headers,
            suppress_origin=True,
            http_no_proxy=["*"],
            timeout=DEADLINE_S,
            skip_utf8_validation=True,  # byte by byte, in Python: it takes seconds, and what is no UTF-8 fails anyway
            **options,
        )
        self.hello: dict[str, Any] = self.receive()

    def send(self, message: object) -> None:
        self.socket.send(message if isinstance(message, str) else json.dumps(message, separators=(",", ":")))

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv())
        return message

    def ask(self, message: object) -> dict[str, Any]:
        return ask(self.socket, message)

    def subscribe(self, *types: str) -> None:
        assert self.ask({"id": "s", "type": "subscribe", "payload": {"eventTypes": types}})["success"]

    def until(self, kind: str) -> dict[str, Any]:
        """The next message of a type; others are passed over."""
        while True:
            message = self.receive()
            if message["type"] == kind:
                return message

    def close_code(self) -> int:
        """Reads on until the recorder closes, and gives its code."""
        return end_of(self.socket)[0]

    def close(self) -> None:
        self.socket.close()

    def cut(self) -> None:
        """Ends without a goodbye."""
        assert self.socket.sock is not None
        self.socket.sock.close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails when it does not within the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


NOW = 1_763_683_200_000.0


def run_start(run: str = "r1", worker: str = "main", session: str = "s") -> dict[str, Any]:
    payload = {
        "runId": run,
        "session": session,
        "source": f"{session}.{worker}",
        "worker": worker,
        "pid": 1,
        "host": "h",
    }
    return {"type": "run/start" if worker == "main" else "worker/start", "timestamp": NOW, "payload": payload}


def records_of_test(number: int) -> list[dict[str, Any]]:
    """Start and end of one test."""
    test = f"tests/test_a.py::test_{number}"
    start = {"testId": test, "testName": f"test_{number}", "attempt": 1, "file": "tests/test_a.py", "line": number + 1}
    end = {"testId": test, "attempt": 1, "status": "passed", "outcome": "passed", "duration": 1.0}
    end["phases"] = {"setup": 0.1, "call": 0.8, "teardown": 0.1}
    return [
        {"type": "test/start", "timestamp": NOW + number, "payload": start},
        {"type": "test/end", "timestamp": NOW + number + 0.5, "payload": end},
    ]


def batch(first_seq: int, events: list[dict[str, Any]], source: str = "s.main") -> dict[str, Any]:
    return {"type": "events", "source": source, "firstSeq": first_seq, "events": events}

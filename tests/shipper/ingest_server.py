"""A recorder for tests: a real WebSocket server that keeps what it acknowledged in memory and can misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientConnectionResetError, WSMsgType, web

TOKEN = "smt_test-token-of-the-ingest-server"
#: Nothing here takes nearly as long; a machine that is busy with other things may.
DEADLINE_S = 60.0


@dataclass
class Misbehaviour:
    """What the server does wrong; counters go down to 0 with each use, -1 means always."""

    status: int = 0  # answer the handshake with this HTTP status
    drop_after: int = -1  # close the connection without a word after this many batches
    swallow_acks: int = 0  # store, but do not acknowledge
    forge_ack: int = 0  # acknowledge this many seqs more than there are
    backward_ack: int = 0
    throttle: int = 0
    error: tuple[str, int] = ("", 0)  # code, how often
    nonsense: list[str] = field(default_factory=list)  # say this, with the source for SOURCE, instead of an answer
    mute: bool = False  # accept the connection and never say anything
    protocol: int = 1
    artifacts: bool = True  # whether it knows them at all
    get_alone: bool = False  # whether it reads GET and nothing else, as WebSocket servers do
    put_statuses: list[int] = field(default_factory=list)  # answer the next uploads so
    dropped_puts: int = 0  # cut the connection in the next uploads


@dataclass
class Handshake:
    headers: dict[str, str]
    path: str


@dataclass
class IngestServer:
    """Runs in a thread of its own; ``events`` is what was committed, by source, in seq order."""

    behaviour: Misbehaviour = field(default_factory=Misbehaviour)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    handshakes: list[Handshake] = field(default_factory=list)
    batches: list[tuple[str, int, int]] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    duplicates: int = 0
    conflicts: list[str] = field(default_factory=list)
    port: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many there are now, which is what ``cut`` would cut."""
        return len(self._sockets)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(DEADLINE_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        if self.behaviour.artifacts:
            app.router.add_put("/api/v1/artifacts/{sha256}", self._put)
            app.router.add_get("/api/v1/artifacts/{sha256}", self._get)
        if self.behaviour.get_alone:
            app.router.add_route("*", "/{path:.*}", self._get_alone)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        for socket in list(self._sockets):
            await socket.close()
        await self._runner.cleanup()

    def restart(self) -> None:
        """Goes away and comes back at another port, with all that was committed."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(DEADLINE_S)
        self.port = 0
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(DEADLINE_S)

    def cut(self) -> None:
        """Cuts every connection."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(DEADLINE_S)

    async def _cut(self) -> None:
        for socket in list(self._sockets):
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()

    def wait_for(self, condition: Callable[[], bool], seconds: float = DEADLINE_S) -> None:
        """Waits until something that was committed or connected makes the condition true."""
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise AssertionError(f"not in {seconds} s; {self.types()}, handshakes: {len(self.handshakes)}")

    def types(self) -> dict[str, list[str]]:
        return {source: [event["type"] for event in events] for source, events in self.events.items()}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for events in list(self.events.values()) for event in list(events) if event["type"] == kind]

    def _change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append(Handshake(dict(request.headers), request.path_qs))
        self._change()
        if self.behaviour.status:
            return web.Response(status=self.behaviour.status)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        socket = web.WebSocketResponse(max_msg_size=16 * 1024 * 1024)
        await socket.prepare(request)
        self._sockets.add(socket)
        self._change()
        try:
            await self._talk(socket)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _get_alone(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=426)

    async def _get(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "NOT_FOUND"}, status=404)

    async def _put(self, request: web.Request) -> web.StreamResponse:
        if self.behaviour.dropped_puts and request.transport is not None:
            self.behaviour.dropped_puts -= 1
            request.transport.abort()
        name = request.match_info["sha256"]
        body = await request.content.read()
        self.puts.append(name)
        self._change()
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.behaviour.put_statuses:
            return web.Response(status=self.behaviour.put_statuses.pop(0))
        self.artifacts[name] = body
        self._change()
        return web.Response(status=201)

    async def _talk(self, socket: web.WebSocketResponse) -> None:
        if self.behaviour.mute:
            await asyncio.sleep(3600)
        facts = {"clientId": "1", "protocolVersion": self.behaviour.protocol, "serverVersion": "test"}
        await self._say(socket, type="event", payload={"type": "system.connected", "timestamp": 0, "payload": facts})
        batches = 0
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            batches += 1
            if 0 <= self.behaviour.drop_after < batches:
                self.behaviour.drop_after = -1
                if socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()
                return
            await self._batch(socket, json.loads(frame.data))

    async def _batch(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        source, first, events = message["source"], message["firstSeq"], message["events"]
        self.batches.append((source, first, len(events)))
        stored = self.events.setdefault(source, [])
        behaviour = self.behaviour
        if behaviour.throttle:
            behaviour.throttle -= 1
            await self._say(socket, type="throttle", source=source, retryAfterMs=20, credit=1)
            return
        code, times = behaviour.error
        if times:
            behaviour.error = (code, times - 1)
            await self._say(socket, type="error", code=code, message="so it is", details={"source": source})
            return
        if behaviour.nonsense:
            await socket.send_str(behaviour.nonsense.pop(0).replace("SOURCE", json.dumps(source)))
            return
        if first > len(stored) + 1:
            details = {"source": source, "expected": len(stored) + 1}
            await self._say(socket, type="error", code="SEQ_GAP", message="a hole", details=details)
            return
        overlap = stored[first - 1 :]
        if any(old != new for old, new in zip(overlap, events, strict=False)):
            self.conflicts.append(source)
            await self._say(socket, type="error", code="SEQ_CONFLICT", message="other body", details={"source": source})
            return
        self.duplicates += min(len(overlap), len(events))
        stored.extend(events[len(overlap) :])
        self._change()
        if behaviour.swallow_acks:
            behaviour.swallow_acks -= 1
            return
        forged, behaviour.forge_ack = behaviour.forge_ack, 0
        backward, behaviour.backward_ack = behaviour.backward_ack, 0
        await self._say(socket, type="ack", source=source, seq=len(stored) + forged - backward)

    async def _say(self, socket: web.WebSocketResponse, **message: Any) -> None:
        with suppress(ClientConnectionResetError):
            await socket.send_str(json.dumps(message))

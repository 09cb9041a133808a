"""A light client of the recorder, for tests that have very many: a WebSocket in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

import aiohttp

from semantest_recorder.descriptors import raise_descriptor_limit

#: Nothing takes nearly as long; a machine that is busy with other things may.
DEADLINE_S = 120.0


class RefusedError(Exception):
    """The recorder refused what was sent, or closed the connection."""


class SlowReaderError(RefusedError):
    """The recorder closed the connection because what it sent was not read."""


class DeniedError(RefusedError):
    """The recorder closed the connection because its token is not valid any more."""


_CLOSED = {1008: DeniedError, 1013: SlowReaderError}
_CLOSE = aiohttp.ClientWSTimeout(ws_close=5.0)


class Wire:
    """One connection, greeted already."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection
        #: How many batches were acknowledged.
        self.acked = 0
        self._ids = count(1)

    async def send(self, message: object) -> None:
        await self.connection.send_str(json.dumps(message, separators=(",", ":")))

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises ``RefusedError`` when the connection was closed instead."""
        received = await self.connection.receive(DEADLINE_S)
        if received.type is not aiohttp.WSMsgType.TEXT:
            code = self.connection.close_code
            raise _CLOSED.get(code or 0, RefusedError)(f"closed: {code} {received.extra or ''}".strip())
        message: dict[str, Any] = json.loads(received.data)
        return message

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types; others are passed over. Raises ``RefusedError``."""
        while True:
            message = await self.receive()
            if message["type"] in kinds:
                return message

    async def ask(self, method: str, payload: object = None) -> Any:
        """The answer to a request. Raises ``RefusedError``."""
        request = f"q{next(self._ids)}"
        await self.send({"id": request, "type": "request", "method": method, "payload": payload})
        while (answer := await self.until("response"))["requestId"] != request:
            pass
        if not answer["success"]:
            raise RefusedError(f"{method}: {answer['payload']}")
        return answer["payload"]

    async def subscribe(self, *kinds: str) -> None:
        await self.send({"id": "s", "type": "subscribe", "payload": {"eventTypes": kinds}})
        if not (await self.until("response"))["success"]:
            raise RefusedError(f"no subscription to {kinds}")

    async def ship(self, source: str, bodies: Sequence[bytes], *, stored: int = 0, size: int = 200) -> int:
        """Sends a journal in batches of ``size`` events, each when the one before is acknowledged, as shippers do.

        It begins behind what is ``stored``. How often it was told to wait. Raises ``RefusedError``.
        """
        throttled = 0
        while stored < len(bodies):
            await self.connection.send_bytes(frame_of(source, stored + 1, bodies[stored : stored + size]))
            answer = await self.until("ack", "throttle", "error")
            if answer["type"] == "error":
                raise RefusedError(f"{source}: {answer['code']}: {answer['message']}")
            if answer["type"] == "ack":
                stored = answer["seq"]
                self.acked += 1
            else:
                throttled += 1
                await asyncio.sleep(answer["retryAfterMs"] / 1000)
        return throttled

    async def cut(self) -> None:
        """Ends it without a goodbye."""
        found: socket.socket | None = self.connection.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def many_connections() -> AsyncIterator[aiohttp.ClientSession]:
    """What ``connect`` takes, for as many connections as the system allows descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_descriptor_limit()
    try:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
            yield http
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@asynccontextmanager
async def connect(
    http: aiohttp.ClientSession, url: str, token: str, *, instance: str = "", run: str = ""
) -> AsyncIterator[Wire]:
    """A connection to the recorder at ``url``; ``instance`` and ``run``: what a shipper says of itself."""
    said = {"X-Semantest-Instance": instance, "X-Semantest-Run": run}
    headers = {"Authorization": f"Bearer {token}"} | {name: value for name, value in said.items() if value}
    async with http.ws_connect(f"{url}/ws", headers=headers, max_msg_size=0, timeout=_CLOSE) as connection:
        wire = Wire(connection)
        await wire.until("event")
        yield wire


def frame_of(source: str, first_seq: int, bodies: Sequence[bytes]) -> bytes:
    """A batch of a journal."""
    head = json.dumps({"type": "events", "source": source, "firstSeq": first_seq})[:-1]
    return head.encode() + b',"events":[' + b",".join(bodies) + b"]}"

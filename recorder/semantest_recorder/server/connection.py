"""One WebSocket connection: carries frames to its session and the session's effects out.

What is sent goes through one bounded queue and one task, so that a reader who is stuck holds up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from semantest_recorder.server.peer import Peer, text_frame

if TYPE_CHECKING:
    from semantest_recorder.core.session import Session
    from semantest_recorder.server.hub import Hub

HEARTBEAT_S = 20.0
#: How long a client has to answer our close frame before its socket is cut.
CLOSE_TIMEOUT_S = 2.0
_CHUNK_BYTES = 64 * 1024
#: For how long one client's frames are read before others get their turn, in seconds.
_SLICE_S = 0.005

_log = logging.getLogger(__name__)


class Connection(Peer):
    """A live connection; ``run`` returns when it has ended."""

    def __init__(self, request: web.Request, session: Session, hub: Hub, *, max_queued_bytes: int) -> None:
        super().__init__(session, hub, max_queued_bytes=max_queued_bytes)
        self._request = request
        # Frames are batches already, and CPU is what ingest is short of: no permessage-deflate.
        self._ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            compress=False,
            max_msg_size=hub.limits.max_frame_bytes,
            timeout=CLOSE_TIMEOUT_S,
            writer_limit=1,  # after each chunk: wait if the socket takes no more
        )
        self._room = asyncio.Event()
        #: Whether the task that sends what is queued is at it.
        self._sending = False
        #: Whether nothing is sent any more.
        self._broken = False

    @property
    def response(self) -> web.WebSocketResponse:
        """What the handler of the handshake returns."""
        return self._ws

    async def run(self) -> None:
        """Performs the handshake and serves the connection to its end."""
        await self._ws.prepare(self._request)
        sender = asyncio.create_task(self._send_queued())
        try:
            self.greet()
            await self._read()
        finally:
            if self._closing is None:  # otherwise it is about to say goodbye
                sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
            self._cut_after(CLOSE_TIMEOUT_S if self._ws.closed else 0.0)

    def _send_now(self, wire: bytes) -> bool:
        """With a thousand readers the way through queue and task would cost each event four fifths of its time."""
        transport = self._request.transport
        if len(wire) > _CHUNK_BYTES:  # the socket would keep a copy of what it does not take
            return False
        if self._sending or transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return False
        transport.write(wire)
        return True

    def cut_if_stuck(self) -> bool:
        """Ends it without a goodbye when the socket takes nothing, and keeps it; whether it did."""
        if self._sending:
            self._cut_after(0.0)
        return self._sending

    def _closes_soon(self) -> None:
        self._room.set()
        self._cut_after(2 * CLOSE_TIMEOUT_S)

    async def _read(self) -> None:
        since = perf_counter()
        async for message in self._ws:
            if perf_counter() - since > _SLICE_S:  # frames that are there already would come without a pause
                await asyncio.sleep(0)
                since = perf_counter()
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break  # an error: aiohttp has closed with 1009, 1007 or 1002
            if self._closing is None and self._hub.accepting:
                self.perform(self.session.receive(message.data, self._hub.now_ms(), self._hub.pending_events))
            await self.wait_for_room()

    async def wait_for_room(self) -> None:
        """Returns when the client has read enough of its answers; TCP holds it up meanwhile. Who never reads is cut."""
        while self._queued_bytes > self._max_queued_bytes and self._closing is None and not self._broken:
            self._room.clear()
            try:
                async with asyncio.timeout(2 * HEARTBEAT_S):
                    await self._room.wait()
            except TimeoutError:
                _log.warning("client %s does not read its answers: dropped", self.session.client.id)
                self.close_soon(1013, "too slow: connect again", discard=True)

    async def _send_queued(self) -> None:
        try:
            while self._closing is None or self._queue:
                if self._queue:
                    await self._send_some()
                else:
                    self._work.clear()
                    await self._work.wait()
            code, reason = self._closing
            await self._ws.close(code=code, message=reason.encode(), drain=False)
        except (ConnectionError, aiohttp.ClientError):
            self._cut_after(0.0)
        finally:
            self._broken = True
            self._room.set()

    async def _send_some(self) -> None:
        """Sends what is queued up to a chunk: one write for many events costs a third of one write for each.

        aiohttp frames the last one, and waits while the socket takes no more.
        """
        chunk, size, own = [], 0, 0
        while True:
            text, counted = self._queue.popleft()
            self._queued_bytes -= len(text)
            own += counted
            self._room.set()
            size += len(text)
            if not self._queue or size >= _CHUNK_BYTES:
                break
            chunk.append(text_frame(text))
        self._sending = True
        transport = self._request.transport
        if chunk and transport is not None and not transport.is_closing():
            transport.write(b"".join(chunk))
        await self._ws.send_frame(text, aiohttp.WSMsgType.TEXT)
        self._sending = False
        self._hub.outgoing.sent(self, own)

    def _cut_after(self, seconds: float) -> None:
        """Ends the socket if it still is there by then: who never reads never answers a close frame either."""
        transport = self._request.transport
        if transport is not None:
            asyncio.get_running_loop().call_later(seconds, transport.abort)

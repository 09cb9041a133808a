"""A client on somebody's own WebSocket server: anything with frames to iterate over, ``send`` and ``close``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

from semantest_recorder.core.session import Session
from semantest_recorder.server.connection import CLOSE_TIMEOUT_S
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.peer import Peer

_log = logging.getLogger(__name__)


class WebSocket(Protocol):
    """What ``serve`` needs of a connection; those of ``websockets`` fit as they are.

    It is iterated over for its frames, until it ends. Its loss may be an error, too: an ``OSError``, an ``EOFError``,
    or one with "Closed" or "Disconnect" in the name of its class or of a base (``ConnectionClosedError``,
    ``WebSocketDisconnect``). Any other comes out of ``serve``, for it is a mistake.
    """

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """The frames that come."""

    async def send(self, message: str) -> None:
        """Sends a text frame."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes the connection."""


class StreamPeer(Peer):
    """Serves one connection; ``run`` returns when it has ended."""

    def __init__(self, socket: WebSocket, session: Session, hub: Hub) -> None:
        super().__init__(session, hub)
        self._socket = socket
        self._room = asyncio.Event()
        #: Whether nothing is sent any more.
        self._broken = False
        #: Runs once it is to be closed: who never reads takes no goodbye either.
        self._patience = asyncio.timeout(None)
        self._patient = False

    async def run(self) -> None:
        """Serves the connection to its end."""
        self._hub.join(self)
        sender = asyncio.create_task(self._send_queued())
        try:
            async with self._patience:
                self._patient = True
                try:
                    self.greet()
                    await self._read()
                    if self._closing is not None:  # it is about to say goodbye
                        await asyncio.wait([sender])
                finally:
                    self._patient = False
        except TimeoutError:
            if not self._patience.expired():
                raise
            _log.info("client %s is cut off: it takes no goodbye", self.session.client.id)
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
            self._hub.leave(self)

    async def _read(self) -> None:
        async for frame in _until_lost(self._socket):
            if self._closing is None and self._hub.accepting:
                self.perform(self.session.receive(frame, self._hub.now_ms(), self._hub.pending_events))
            await self.wait_for_room()

    async def wait_for_room(self) -> None:
        """Returns when the client has read enough of its answers, or nothing is sent any more."""
        while self._queued_bytes > self._max_queued_bytes and not self._broken:
            self._room.clear()
            await self._room.wait()

    def _closes_soon(self) -> None:
        self._room.set()
        if self._patient:
            self._patience.reschedule(asyncio.get_running_loop().time() + 2 * CLOSE_TIMEOUT_S)

    async def _send_queued(self) -> None:
        try:
            while self._closing is None or self._queue:
                if not self._queue:
                    self._work.clear()
                    await self._work.wait()
                    continue
                frame, own = self._queue.popleft()
                self._queued_bytes -= len(frame)
                self._room.set()
                await self._socket.send(frame.decode())
                self._hub.outgoing.sent(self, own)
            code, reason = self._closing
            await self._socket.close(code, reason)
        except Exception as error:  # noqa: BLE001 - each library has its own class for a connection that is gone
            lost = _is_loss(error)
            level = logging.DEBUG if lost else logging.ERROR
            _log.log(level, "client %s cannot be written to: %s", self.session.client.id, error, exc_info=not lost)
        finally:
            self._broken = True
            self._room.set()


async def _until_lost(socket: WebSocket) -> AsyncIterator[str | bytes]:
    """The frames, as long as there is a connection. What handles them is outside: its errors are no loss."""
    frames = aiter(socket)
    while True:
        try:
            frame = await anext(frames)
        except StopAsyncIteration:
            return
        except Exception as error:
            if not _is_loss(error):
                raise
            _log.debug("a connection was lost: %s", error)
            return
        yield frame


def _is_loss(error: Exception) -> bool:
    """Whether a library says that the connection is gone: none of their classes is known here, but all are named so."""
    if isinstance(error, OSError | EOFError):
        return True
    return any(word in kind.__name__ for kind in type(error).__mro__ for word in ("Closed", "Disconnect"))

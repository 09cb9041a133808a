"""Accepts connections, and keeps those of strangers few and short: they must not use up the process's descriptors.

A connection is a stranger's until a request of a known client came on it. It is closed after some seconds, and earlier
when its place is wanted: whoever connects takes that of the stranger who is there longest. Those of clients stay.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

#: For how long a connection may stay on which no known client has said anything. Also the time for a TLS handshake.
STRANGER_S = 10.0
_PAUSE_S = 0.2
_LOG_EVERY_S = 10.0
#: There is nothing to open another connection with, just now.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger(__name__)


class Acceptor:
    """Serves the connections of any number of listening sockets, ``limit`` at a time, with protocols of ``server``.

    Lives in the running loop. ``stranger_s``: see ``STRANGER_S``, in seconds.
    """

    def __init__(self, server: Callable[[], asyncio.Protocol], limit: int, stranger_s: float = STRANGER_S) -> None:
        self._server = server
        self._limit = limit
        self._stranger_s = stranger_s
        self._guests: dict[asyncio.Protocol, _Guest] = {}
        self._strangers: dict[_Guest, None] = {}  # in the order in which they came
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._log_due_s = 0.0

    def listen(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """Serves what connects to a listening socket, until ``stop`` closes it; ``context``: over TLS."""
        listener.setblocking(False)
        self._begin(self._accept(listener, context))

    def welcome(self, protocol: object) -> None:
        """A request of a known client came on the connection with this protocol of ``server``."""
        guest = self._guests.get(protocol) if isinstance(protocol, asyncio.Protocol) else None
        if guest is not None and guest in self._strangers:
            del self._strangers[guest]
            guest.timer.cancel()

    def status(self) -> dict[str, int]:
        """How many connections may be open at once, and how many were not served for want of room."""
        return {"connectionLimit": self._limit, "refusedConnections": self._refused}

    async def stop(self) -> None:
        """Closes the listening sockets, and lets go of strangers; connections of clients stay.

        Whoever connects is refused at once, and need not wait for an answer that nobody gives.
        """
        for task in self._tasks:
            task.cancel()
        for guest in list(self._strangers):
            guest.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one connection after the other ------------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        with listener:
            while True:
                await self._accept_one(listener, context)

    async def _accept_one(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            connection, _address = await asyncio.get_running_loop().sock_accept(listener)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._dismiss_stranger()
                self._note_refusal(f"no more can be opened ({error.strerror})")
            await asyncio.sleep(_PAUSE_S)  # else it is a connection that was gone before it was accepted
            return
        if self._has_room():
            self._receive(connection, context)
        else:
            connection.close()
        await asyncio.sleep(0)  # a volley of connections must not hold up everything else

    def _receive(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        protocol = self._server()
        guest = _Guest(self, protocol, connection)
        self._guests[protocol] = guest
        self._strangers[guest] = None
        guest.timer = asyncio.get_running_loop().call_later(self._stranger_s, guest.cut)
        self._begin(self._connect(guest, connection, context))

    async def _connect(self, guest: _Guest, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        """Hands the connection to asyncio, over TLS after the handshake."""
        timeout = {"ssl_handshake_timeout": self._stranger_s} if context is not None else {}
        try:
            with suppress(OSError, ConnectionError):  # it has gone, or does not speak TLS
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: guest, connection, ssl=context, **timeout
                )
        finally:
            if guest.transport is None:
                self.left(guest)
                connection.close()

    def left(self, guest: _Guest) -> None:
        """A connection has ended."""
        guest.timer.cancel()
        self._guests.pop(guest.protocol, None)
        self._strangers.pop(guest, None)

    def _has_room(self) -> bool:
        """Whether one more connection may be served; a stranger has to make room for it."""
        if len(self._guests) < self._limit:
            return True
        if self._dismiss_stranger():
            self._note_refusal(f"{self._limit} are open; the stranger who was there longest had to go")
            return True
        self._note_refusal(f"clients use all {self._limit}; with a higher limit of open files (ulimit -n) more fit")
        return False

    def _dismiss_stranger(self) -> bool:
        """Closes the connection of the stranger who is there longest; whether there was one."""
        guest = next(iter(self._strangers), None)
        if guest is not None:
            guest.cut()
        return guest is not None

    def _note_refusal(self, reason: str) -> None:
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if now >= self._log_due_s:
            self._log_due_s = now + _LOG_EVERY_S
            _log.warning("connections are refused, %d until now: %s", self._refused, reason)


class _Guest(asyncio.Protocol):
    """Stands between a connection and its protocol, to know when it ends."""

    timer: asyncio.TimerHandle

    def __init__(self, acceptor: Acceptor, protocol: asyncio.Protocol, connection: socket.socket) -> None:
        self.protocol = protocol
        self.transport: asyncio.Transport | None = None
        self._acceptor = acceptor
        self._connection = connection

    def cut(self) -> None:
        """Ends the connection at once."""
        self._acceptor.left(self)
        if self.transport is not None:
            self.transport.abort()
        else:
            with suppress(OSError):  # asyncio, which is in the midst of the handshake, sees the end
                self._connection.shutdown(socket.SHUT_RDWR)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._acceptor.left(self)
        self.protocol.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.protocol.data_received(data)

    def eof_received(self) -> bool | None:
        return self.protocol.eof_received()

    def pause_writing(self) -> None:
        self.protocol.pause_writing()

    def resume_writing(self) -> None:
        self.protocol.resume_writing()

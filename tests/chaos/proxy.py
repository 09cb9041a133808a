"""A way to the recorder that can be cut, and can go silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Hands bytes on between clients and whoever listens at ``backend()`` just now, in a thread of its own.

    ``backend`` gives a port of 127.0.0.1, or ``None`` when nobody listens: then connections are refused.
    """

    def __init__(self, backend: Callable[[], int | None]) -> None:
        self._backend = backend
        self._connections: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def cut(self) -> None:
        """Every connection is reset."""
        self._loop.call_soon_threadsafe(self._cut)

    def freeze(self) -> None:
        """Connections stay, and nothing goes through them: TCP that is half open."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def thaw(self) -> None:
        """What waited goes on."""
        self._loop.call_soon_threadsafe(self._open.set)

    def close(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._cut)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> int:
        self._open.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def _cut(self) -> None:
        for writer in list(self._connections):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._backend()
        try:
            if port is None:
                return
            behind, beyond = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        finally:
            if port is None:
                writer.transport.abort()
        self._connections |= {writer, beyond}
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, beyond), self._pump(behind, writer))
        for one in (writer, beyond):
            self._connections.discard(one)
            one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        finally:
            with suppress(OSError, RuntimeError):
                writer.write_eof()

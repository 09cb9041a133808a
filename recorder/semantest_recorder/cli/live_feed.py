"""Events of the project's recorder as they are committed, over its WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from pytest_semantest import __version__
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.discovery import Discovery, serving_recorder

if TYPE_CHECKING:
    import aiohttp

_TYPES = ["run/*", "worker/*", "test/*", "collect/*", "shipper/*", "journal/*"]
_ANSWER_SECONDS = 5.0


class FeedBroken(Exception):  # noqa: N818 - says what it is
    """The recorder is gone, refuses, or told us to start again; the text says why."""


class LiveEvent(msgspec.Struct):
    """An event with its place in the log, and the message as it came."""

    source: str
    seq: int
    event: RawEvent
    frame: msgspec.Raw


class _Inner(msgspec.Struct):
    id: str
    type: str
    timestamp: float
    payload: msgspec.Raw


class _Message(msgspec.Struct):
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"null")
    success: bool | None = None
    replay: str | None = None
    error: Any = None


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_inner = msgspec.json.Decoder(_Inner).decode


class LiveFeed:
    """A subscription to everything that happens to runs; an async context manager.

    Entering raises ``FeedBroken`` when no recorder can be had.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> Self:
        found = serving_recorder(self._folder)
        if found is None:
            raise FeedBroken(f"no recorder runs for {self._folder}")
        import aiohttp  # noqa: PLC0415 - 0.2 s that are spent only when something is to be watched

        try:
            self._socket = await self._connect(found)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self._stack.aclose()
            raise FeedBroken(f"the recorder at {found.url} does not answer: {error}") from error
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _connect(self, found: Discovery) -> aiohttp.ClientWebSocketResponse:
        import aiohttp  # noqa: PLC0415

        headers = {"Authorization": f"Bearer {found.token}", "User-Agent": f"semantest/{__version__}"}
        session = await self._stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        url = found.url.rstrip("/") + "/ws"
        socket = await self._stack.enter_async_context(
            session.ws_connect(url, headers=headers, heartbeat=20, max_msg_size=64 * 1024 * 1024)
        )
        await socket.send_json({"id": "watch", "type": "subscribe", "payload": {"eventTypes": _TYPES}})
        async with asyncio.timeout(_ANSWER_SECONDS):
            while True:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise FeedBroken(f"the recorder at {found.url} closed the connection ({socket.close_code})")
                answer = _decode_message(message.data)
                if answer.type == "response":
                    if not answer.success:
                        raise FeedBroken(f"the recorder at {found.url} refused the subscription: {answer.error}")
                    return socket

    async def events(self, seconds: float) -> AsyncIterator[LiveEvent]:
        """What comes within ``seconds`` from now. Raises ``FeedBroken``."""
        socket = self._socket
        if socket is None:
            raise FeedBroken("not connected")
        import aiohttp  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (left := deadline - loop.time()) > 0:
            try:
                message = await socket.receive(timeout=left)
            except TimeoutError:
                return
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise FeedBroken(f"the recorder closed the connection ({socket.close_code})")
            event = _event(message.data)
            if event is not None:
                yield event


def _event(text: str) -> LiveEvent | None:
    """The logged event in a message; ``None`` for other messages and for derived events, which are in no log."""
    message = _decode_message(text)
    if message.type != "event" or message.replay is not None:
        return None  # what is replayed has happened before
    try:
        inner = _decode_inner(message.payload)
    except msgspec.ValidationError:
        return None
    source, _, seq = inner.id.rpartition(":")
    if not source or not seq.isdigit() or ":" in source:
        return None
    return LiveEvent(source, int(seq), RawEvent(inner.type, inner.timestamp, inner.payload), message.payload)

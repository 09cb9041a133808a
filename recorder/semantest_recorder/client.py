"""A client of the recorder for people's own programs, async and sync.

with Client.of_project(".") as client:
    client.start_run("nightly-7", name="Nightly")
    with client.test("login"):
        ...
    print(client.end_run("nightly-7")["status"])
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import aiohttp
import msgspec

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.discovery import read_discovery

T = TypeVar("T")
_MAX_MESSAGE = 64 * 1024 * 1024
#: Events that nobody has taken from a subscription; older ones go.
_EVENTS_MAX = 100_000


class ClientError(Exception):
    """Base of what a client raises; ``code`` as in docs/reference/errors.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class NotConnectedError(ClientError):
    """There is no recorder, it refuses the connection, or the connection broke."""

    def __init__(self, message: str) -> None:
        super().__init__("NOT_CONNECTED", message)


class CommandError(ClientError):
    """The recorder did not carry out a command."""


class EventsRefusedError(ClientError):
    """Events that were sent since the last ``flush`` were not taken; ``refusals`` are the recorder's messages."""

    def __init__(self, refusals: list[dict[str, Any]]) -> None:
        first = refusals[0]
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        super().__init__(str(first.get("code")), f"an event was refused: {first.get('message')}{more}")
        self.refusals = refusals


class AsyncClient:
    """A connection to the recorder at ``url``; an async context manager.

    ``timeout`` (seconds) bounds connecting and each answer. Entering raises ``NotConnectedError``.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 10.0, source: str | None = None) -> None:
        self._url = url
        self._token = token
        self._timeout = timeout
        self._source = source or f"python-{uuid4().hex[:12]}"
        self._stack = AsyncExitStack()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = count(1)
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._refusals: list[dict[str, Any]] = []
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS_MAX)
        self._arrived = asyncio.Event()
        self._ended: str | None = None

    @classmethod
    def of_project(cls, folder: str | Path = ".", **options: Any) -> Self:
        """A client of the recorder that serves a project's folder. Raises ``NotConnectedError`` when none runs."""
        path = Path(folder)
        found = read_discovery(path if path.name == DIRECTORY else path / DIRECTORY)
        if found is None:
            raise NotConnectedError(f"no recorder runs for {path.absolute()}; start one with: semantest-recorder start")
        return cls(found.url, found.token, **options)

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": f"semantest-client/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        url = self._url.rstrip("/").replace("ws", "http", 1) if self._url.startswith("ws") else self._url.rstrip("/")
        url = url if url.endswith("/ws") else f"{url}/ws"
        try:
            async with asyncio.timeout(self._timeout):
                session = await self._stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
                self._socket = await self._stack.enter_async_context(
                    session.ws_connect(url, headers=headers, heartbeat=20, max_msg_size=_MAX_MESSAGE)
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._stack.aclose()
            raise NotConnectedError(f"{self._url}: {_reason(error)}") from None
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            if kind is None and self._ended is None:
                await self.flush()
            self._reader.cancel()
        await self._stack.aclose()

    # -- runs and events ---------------------------------------------------------------------------------------

    async def start_run(self, run_id: str, **config: Any) -> dict[str, Any]:
        """Starts a run (config as in PROTOCOL: name, tags, timeout, retries, failFast, ...); its status."""
        return await self._status("startTestRun", {"runId": run_id, **config})

    async def end_run(self, run_id: str) -> dict[str, Any]:
        """Ends a run; its final status. What was sent before is committed then. Raises ``EventsRefusedError``."""
        status = await self._status("endTestRun", {"runId": run_id})
        self._raise_refusals()
        return status

    async def cancel_run(
        self, run_id: str, reason: str | None = None, *, grace_ms: float | None = None
    ) -> dict[str, Any]:
        """Cancels a run, of a client or of pytest; its status."""
        wanted = {"runId": run_id, "reason": reason, "graceMs": grace_ms}
        return await self._status("cancelTestRun", {key: value for key, value in wanted.items() if value is not None})

    async def send(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Sends one event; whether it was taken is known after ``flush``. Raises ``NotConnectedError``."""
        event = {
            "id": uuid4().hex,
            "type": kind,
            "timestamp": time.time() * 1000,
            "payload": {**payload, "runId": run_id} if run_id is not None else dict(payload),
            "metadata": {"source": self._source, **(metadata or {})},
        }
        await self._say({"id": event["id"], "type": "event", "timestamp": event["timestamp"], "payload": event})

    async def flush(self) -> None:
        """Returns when all that was sent is committed. Raises ``EventsRefusedError`` for what was not taken."""
        await self.request("echo")
        self._raise_refusals()

    # -- questions ---------------------------------------------------------------------------------------------

    async def request(self, method: str, payload: object = None) -> Any:
        """The answer to any method (docs/reference/wire.md). Raises ``CommandError`` or ``NotConnectedError``."""
        request_id = f"q{next(self._ids)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self._say({"id": request_id, "type": "request", "method": method, "payload": payload})
            async with asyncio.timeout(self._timeout):
                message = await answer
        except TimeoutError:
            raise NotConnectedError(f"{self._url} did not answer {method} within {self._timeout:g} s") from None
        finally:
            self._answers.pop(request_id, None)
        if not message.get("success"):
            problem = message.get("payload") or {}
            raise CommandError(str(problem.get("code")), str(message.get("error")))
        return message.get("payload")

    async def active_runs(self) -> list[dict[str, Any]]:
        """The status of every run that is not over."""
        found: list[dict[str, Any]] = await self.request("getActiveRuns")
        return found

    async def run_status(self, run_id: str) -> dict[str, Any]:
        """The status of a run."""
        return await self._status("getRunStatus", {"runId": run_id})

    async def statistics(self) -> dict[str, Any]:
        """Totals over all runs."""
        return await self._status("getStatistics", None)

    async def results(self, run_id: str) -> AsyncIterator[dict[str, Any]]:
        """The results of a run, page by page behind the scenes."""
        cursor = None
        while True:
            page = await self.request("getTestResultsByRun", {"runId": run_id, "cursor": cursor})
            for result in page["results"]:
                yield result
            cursor = page["cursor"]
            if cursor is None:
                return

    async def subscribe(self, *types: str) -> None:
        """Asks for events of these types: exact, ``*`` or prefixes such as ``test/*``; ``events`` gives them."""
        await self._say({"id": f"s{next(self._ids)}", "type": "subscribe", "payload": {"eventTypes": types}})
        await self.request("echo")

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events as they come, without end. Raises ``NotConnectedError`` when the connection breaks."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended is not None:
                raise NotConnectedError(self._ended)
            self._arrived.clear()
            await self._arrived.wait()

    # -- inside ------------------------------------------------------------------------------------------------

    async def _status(self, method: str, payload: object) -> dict[str, Any]:
        found: dict[str, Any] = await self.request(method, payload)
        return found

    async def _say(self, message: object) -> None:
        if self._socket is None or self._ended is not None:
            raise NotConnectedError(self._ended or "not connected: use the client as a context manager")
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (ConnectionError, aiohttp.ClientError) as error:
            raise NotConnectedError(f"{self._url}: {_reason(error)}") from None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for received in socket:
            if received.type is not aiohttp.WSMsgType.TEXT:
                break
            message = msgspec.json.decode(received.data)
            match message["type"]:
                case "response":
                    answer = self._answers.get(str(message.get("requestId")))
                    if answer is not None and not answer.done():
                        answer.set_result(message)
                case "event":
                    self._events.append(message["payload"])
                    self._arrived.set()
                case "error":
                    self._refusals.append(message)
        self._ended = f"{self._url} closed the connection ({socket.close_code})"
        self._arrived.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NotConnectedError(self._ended))

    def _raise_refusals(self) -> None:
        refusals, self._refusals = self._refusals, []
        if refusals:
            raise EventsRefusedError(refusals)


class Client:
    """The same without ``await``: a connection in a thread of its own; a context manager."""

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 10.0, source: str | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(url, token, timeout=timeout, source=source)
        self._thread = threading.Thread(target=self._loop.run_forever, name="semantest-client", daemon=True)

    @classmethod
    def of_project(cls, folder: str | Path = ".", **options: Any) -> Self:
        """A client of the recorder that serves a project's folder. Raises ``NotConnectedError`` when none runs."""
        made = AsyncClient.of_project(folder, **options)
        return cls(made._url, made._token, **options)  # noqa: SLF001 - the two are one class in two dresses

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._client.__aexit__(kind, error, trace))
        finally:
            self._stop()

    def start_run(self, run_id: str, **config: Any) -> dict[str, Any]:
        """As ``AsyncClient.start_run``."""
        return self._run(self._client.start_run(run_id, **config))

    def end_run(self, run_id: str) -> dict[str, Any]:
        """As ``AsyncClient.end_run``."""
        return self._run(self._client.end_run(run_id))

    def cancel_run(self, run_id: str, reason: str | None = None, *, grace_ms: float | None = None) -> dict[str, Any]:
        """As ``AsyncClient.cancel_run``."""
        return self._run(self._client.cancel_run(run_id, reason, grace_ms=grace_ms))

    def send(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """As ``AsyncClient.send``."""
        self._run(self._client.send(kind, payload, run_id=run_id, metadata=metadata))

    def flush(self) -> None:
        """As ``AsyncClient.flush``."""
        self._run(self._client.flush())

    def request(self, method: str, payload: object = None) -> Any:
        """As ``AsyncClient.request``."""
        return self._run(self._client.request(method, payload))

    def active_runs(self) -> list[dict[str, Any]]:
        """As ``AsyncClient.active_runs``."""
        return self._run(self._client.active_runs())

    def run_status(self, run_id: str) -> dict[str, Any]:
        """As ``AsyncClient.run_status``."""
        return self._run(self._client.run_status(run_id))

    def statistics(self) -> dict[str, Any]:
        """As ``AsyncClient.statistics``."""
        return self._run(self._client.statistics())

    def results(self, run_id: str) -> list[dict[str, Any]]:
        """All results of a run."""

        async def collect() -> list[dict[str, Any]]:
            return [result async for result in self._client.results(run_id)]

        return self._run(collect())

    def subscribe(self, *types: str) -> None:
        """As ``AsyncClient.subscribe``."""
        self._run(self._client.subscribe(*types))

    def events(self) -> Iterator[dict[str, Any]]:
        """As ``AsyncClient.events``."""
        found = self._client.events()

        async def following() -> dict[str, Any]:
            return await anext(found)

        while True:
            yield self._run(following())

    @contextmanager
    def test(self, test_id: str, name: str | None = None, **more: Any) -> Iterator[None]:
        """Says start and end of one test: failed when the block raises, which goes on unchanged."""
        self.send("test/start", {"testId": test_id, "testName": name or test_id, **more})
        began = time.perf_counter()
        try:
            yield
        except BaseException as error:
            told = {"message": f"{type(error).__name__}: {error}", "type": type(error).__name__}
            self._end_test(test_id, "failed", began, {"error": told, **more})
            raise
        self._end_test(test_id, "passed", began, more)

    def _end_test(self, test_id: str, status: str, began: float, more: Mapping[str, Any]) -> None:
        duration = (time.perf_counter() - began) * 1000
        self.send("test/end", {"testId": test_id, "status": status, "duration": duration, **more})

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the recorder refuses the connection (HTTP {error.status})"
    return (str(error) or type(error).__name__).splitlines()[0][:200]

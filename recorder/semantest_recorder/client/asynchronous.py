"""A connection to the recorder for asyncio programs."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp
import msgspec

from pytest_semantest import __version__
from pytest_semantest.protocol.certificates import CA_FILE_VARIABLE, tls_context
from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.client.errors import ClientError, CommandError, EventsRefusedError, NotConnectedError
from semantest_recorder.core.messages import MAX_FRAME
from semantest_recorder.discovery import serving_recorder

_MAX_MESSAGE = 64 * 1024 * 1024
#: Events that nobody has taken from a subscription; older ones go.
_EVENTS_MAX = 100_000


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
        #: Of a connection that was made for a replay: what has come of it.
        self._replayed: asyncio.Queue[dict[str, Any]] | None = None
        self._ended: str | None = None
        #: Whether something was sent since the last answer, so that nobody knows whether it was taken.
        self._unsure = False

    @classmethod
    def of_project(cls, folder: str | Path = ".", **options: Any) -> Self:
        """A client of the recorder that serves a project, or the ``.semantest`` folder itself, whatever it is called.

        Raises ``NotConnectedError`` when none runs.
        """
        path = Path(folder)
        found = serving_recorder(path / DIRECTORY) or serving_recorder(path)
        if found is None:
            raise NotConnectedError(f"no recorder runs for {path.absolute()}; start one with: semantest-recorder start")
        return cls(found.url, found.token, **options)

    async def __aenter__(self) -> Self:
        headers = {"User-Agent": f"semantest-client/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        url = _address(self._url)
        self._ended, self._unsure = None, False
        self._refusals.clear()
        self._arrived.clear()
        try:
            trust = tls_context() if url.startswith("https:") else True
            async with asyncio.timeout(self._timeout):
                session = await self._stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
                self._socket = await self._stack.enter_async_context(
                    session.ws_connect(url, headers=headers, heartbeat=20, max_msg_size=_MAX_MESSAGE, ssl=trust)
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._stack.aclose()
            raise NotConnectedError(f"{self._url}: {_reason(error)}") from None
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._reader is not None and kind is None:
                self._raise_refusals()
                if self._unsure:
                    await self.flush()
        finally:
            if self._reader is not None:
                self._reader.cancel()
            await self._stack.aclose()
            self._end("the client was closed")

    # -- runs and events ---------------------------------------------------------------------------------------

    async def start_run(self, run_id: str, **config: Any) -> dict[str, Any]:
        """Starts a run, ``config`` as in docs/reference/wire.md (name, tags, retries, failFast, ...); its status."""
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
        self._unsure = True
        await self._say({"id": event["id"], "type": "event", "timestamp": event["timestamp"], "payload": event})

    @asynccontextmanager
    async def test(self, test_id: str, name: str | None = None, **more: Any) -> AsyncIterator[None]:
        """Says start and end of one test; ``more`` is said in both.

        One that an exception leaves has failed, and the exception goes on unchanged, though the connection broke.
        """
        await self.send("test/start", {"testId": test_id, "testName": name or test_id, **more})
        began = time.perf_counter()
        try:
            yield
        except BaseException as error:
            told = {"message": f"{type(error).__name__}: {_text_of(error)}", "type": type(error).__name__}
            with suppress(ClientError):  # the test's own error says more
                await self._end_test(test_id, "failed", began, {"error": told, **more})
            raise
        await self._end_test(test_id, "passed", began, more)

    async def _end_test(self, test_id: str, status: str, began: float, more: Mapping[str, Any]) -> None:
        duration = (time.perf_counter() - began) * 1000
        await self.send("test/end", {"testId": test_id, "status": status, "duration": duration, **more})

    async def flush(self) -> None:
        """Returns when all that was sent is committed. Raises ``EventsRefusedError`` for what was not taken."""
        await self.request("echo")
        self._raise_refusals()

    # -- questions ---------------------------------------------------------------------------------------------

    async def request(self, method: str, payload: object = None) -> Any:
        """The answer to any method (docs/reference/wire.md). Raises ``CommandError`` or ``NotConnectedError``."""
        request_id = f"q{next(self._ids)}"
        unsure, self._unsure = self._unsure, False
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self._say({"id": request_id, "type": "request", "method": method, "payload": payload})
            async with asyncio.timeout(self._timeout):
                message = await answer
            unsure = False  # an answer comes behind all that was sent before
        except TimeoutError:
            raise NotConnectedError(f"{self._url} did not answer {method} within {self._timeout:g} s") from None
        finally:
            self._answers.pop(request_id, None)
            self._unsure = self._unsure or unsure
        return _result(message)

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
        """Asks for events of these types: exact, ``*`` or prefixes such as ``test/*``; ``events`` gives them.

        Raises ``CommandError`` when the recorder refuses it (``INVALID_PATTERN``, ``FORBIDDEN``).
        """
        request_id = f"s{next(self._ids)}"
        answer = self._answers[request_id] = asyncio.get_running_loop().create_future()
        try:
            await self._say({"id": request_id, "type": "subscribe", "payload": {"eventTypes": types}})
            await self.request("echo")  # behind the answer, which does not come when a role is missing
        finally:
            self._answers.pop(request_id, None)
            if not answer.cancel():
                answer.exception()  # where the connection broke, `request` has told so
        if not answer.cancelled():
            _result(answer.result())
            return
        told = [error for error in self._refusals if error.get("requestId") == request_id]
        self._refusals = [error for error in self._refusals if error not in told]
        if not told:
            raise CommandError("INVALID_MESSAGE", "the recorder did not take the subscription")
        raise CommandError(str(told[0].get("code")), str(told[0]["message"]))

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events as they come, without end; replayed ones have a ``replay``.

        Raises ``NotConnectedError`` when the connection breaks.
        """
        while True:
            while self._events:
                yield self._events.popleft()
            if self._ended is not None:
                raise NotConnectedError(self._ended)
            self._arrived.clear()
            await self._arrived.wait()

    async def replay(
        self, start_time: float, end_time: float, *, types: Sequence[str] | None = None, speed: float = 0.0
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The recorded events of a time (milliseconds since the epoch), which go to all subscribers as well.

        They come over a connection of their own, which ends with the iteration. ``speed``: 1 as it was, 0 as fast as
        they are read. Raises ``CommandError`` when it is refused or breaks, and ``NotConnectedError``.
        """
        wanted = {"startTime": start_time, "endTime": end_time, "types": types, "speed": speed}
        async with type(self)(self._url, self._token, timeout=self._timeout, source=self._source) as asker:
            async for event in asker._replay_here(wanted):  # noqa: SLF001 - of the same class
                yield event

    async def _replay_here(self, wanted: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        arriving = self._replayed = asyncio.Queue(_EVENTS_MAX)
        await self.request("replayEvents", wanted)
        while True:
            if self._ended is not None and arriving.empty():
                raise NotConnectedError(self._ended)
            message = await arriving.get()
            if message["type"] == "event":
                yield message["payload"]
            elif message["type"] == "replayEnded":
                if not message["payload"]["completed"]:
                    raise CommandError("STORE_ERROR", f"the replay broke: {message['payload'].get('error')}")
                return

    # -- inside ------------------------------------------------------------------------------------------------

    async def _status(self, method: str, payload: object) -> dict[str, Any]:
        found: dict[str, Any] = await self.request(method, payload)
        return found

    async def _say(self, message: object) -> None:
        if self._socket is None or self._ended is not None:
            raise NotConnectedError(self._ended or "not connected: use the client as a context manager")
        text = msgspec.json.encode(message).decode()
        if len(text) > MAX_FRAME:
            told = f"a message of {len(text)} characters is longer than a frame may be ({MAX_FRAME}); nothing was sent"
            raise CommandError("EVENT_TOO_LARGE", told)
        try:
            async with asyncio.timeout(self._timeout):
                await self._socket.send_str(text)
        except TimeoutError:
            raise NotConnectedError(f"{self._url} took nothing for {self._timeout:g} s") from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise NotConnectedError(f"{self._url}: {_reason(error)}") from None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        reason = None
        while (received := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            try:
                await self._take(msgspec.json.decode(received.data))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                reason = f"{self._url} sent what is no message of the protocol"
                break
        why = f" {received.extra}" if received.type is aiohttp.WSMsgType.CLOSE and received.extra else ""
        self._end(reason or f"{self._url} closed the connection ({socket.close_code}{why})")

    def _end(self, reason: str) -> None:
        """Whoever waits is told."""
        self._ended = self._ended or reason
        self._arrived.set()
        if self._replayed is not None and not self._replayed.full():
            self._replayed.put_nowait({"type": "closed"})  # who waits for the next one wakes up
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NotConnectedError(self._ended))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "response":
                answer = self._answers.get(str(message.get("requestId")))
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case "event" | "replayEnded" if self._replayed is not None:
                if "replay" in message or message["type"] == "replayEnded":
                    await self._replayed.put(message)  # who reads slowly holds up nothing else on this connection
            case "event" if message["payload"]["type"] != "system.connected":
                replay = {"replay": message["replay"]} if "replay" in message else {}
                self._events.append({**message["payload"], **replay})
                self._arrived.set()
            case "error":
                self._refusals.append(message)

    def _raise_refusals(self) -> None:
        refusals, self._refusals = self._refusals, []
        if refusals:
            raise EventsRefusedError(refusals)


def _result(response: dict[str, Any]) -> Any:
    if not response.get("success"):
        problem = response.get("payload")
        code = problem.get("code") if isinstance(problem, dict) else None
        raise CommandError(str(code or "INVALID_MESSAGE"), str(response.get("error")))
    return response.get("payload")


def _address(url: str) -> str:
    """Where the WebSocket is. Raises ``NotConnectedError`` for what is no recorder's URL."""
    scheme, _, rest = url.partition("://")
    http = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(scheme.lower())
    if http is None or not rest.strip("/"):
        raise NotConnectedError(f"{url!r} is no recorder URL; it looks like http://127.0.0.1:8765")
    path = rest.rstrip("/")
    return f"{http}://{path}" if path.endswith("/ws") else f"{http}://{path}/ws"


def _text_of(error: BaseException) -> str:
    """What an error of the user's says, as far as it can be told."""
    try:
        return str(error).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - it is theirs
        return "it says nothing, for its text raises"


def _reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        advice = {
            401: "no valid token: take that of .semantest/recorder.json, or make one with semantest token create",
            403: "it does not serve under this host name, see --allow-host of semantest-recorder serve",
        }
        return f"the recorder refuses the connection (HTTP {error.status}): {advice.get(error.status, error.message)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error} ({CA_FILE_VARIABLE} may name one to trust)"
    return (str(error) or type(error).__name__).splitlines()[0][:200]

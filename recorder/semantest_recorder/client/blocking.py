"""The client for programs without asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from semantest_recorder.client.asynchronous import AsyncClient
from semantest_recorder.client.errors import NotConnectedError

T = TypeVar("T")


class Client:
    """The same without ``await``: a connection in a thread of its own; a context manager.

    Outside of its block everything raises ``NotConnectedError``.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 10.0, source: str | None = None) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = AsyncClient(url, token, timeout=timeout, source=source)
        self._thread: threading.Thread | None = None

    @classmethod
    def of_project(cls, folder: str | Path = ".", **options: Any) -> Self:
        """A client of the recorder that serves a project's folder. Raises ``NotConnectedError`` when none runs."""
        made = AsyncClient.of_project(folder, **options)
        return cls(made._url, made._token, **options)  # noqa: SLF001 - the two are one class in two dresses

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="semantest-client", daemon=True)
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

    def replay(
        self, start_time: float, end_time: float, *, types: Sequence[str] | None = None, speed: float = 0.0
    ) -> Iterator[dict[str, Any]]:
        """As ``AsyncClient.replay``."""
        found = self._client.replay(start_time, end_time, types=types, speed=speed)

        async def following() -> dict[str, Any] | None:
            return await anext(found, None)

        try:
            while (event := self._run(following())) is not None:
                yield event
        finally:
            if self._loop is not None:
                self._run(found.aclose())

    @contextmanager
    def test(self, test_id: str, name: str | None = None, **more: Any) -> Iterator[None]:
        """As ``AsyncClient.test``."""
        block = self._client.test(test_id, name, **more)
        self._run(block.__aenter__())
        try:
            yield
        except BaseException as error:
            with suppress(NotConnectedError):  # behind the client's own block
                self._run(block.__aexit__(type(error), error, error.__traceback__))
            raise
        self._run(block.__aexit__(None, None, None))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise NotConnectedError("not connected: use the client as a context manager")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

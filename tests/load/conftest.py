"""A recorder in a process of its own, and what is stored by it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import Any

import aiohttp
import pytest

from pytest_semantest.protocol.layout import DATABASE
from tests.recorder.cli_recorder.daemons import Daemon
from tests.wire import Wire, connect, many_connections


class Served:
    """One recorder; ``http`` is there inside of ``clients``."""

    http: aiohttp.ClientSession

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.url, self.token = daemon.discovery["url"], daemon.discovery["token"]

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[Served]:
        """As many as there are descriptors may ``connect`` in here."""
        async with many_connections() as self.http:
            yield self

    def connect(self) -> AbstractAsyncContextManager[Wire]:
        return connect(self.http, self.url, self.token)

    async def status(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.url}/api/v1/status", headers=headers) as answer:
            found: dict[str, Any] = json.loads(await answer.read())
            return found

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        path = self.daemon.folder / DATABASE
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, parameters).fetchall()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It logs little, for nobody reads the pipe."""
    folder = tmp_path_factory.mktemp("load")
    daemon = Daemon(folder / ".semantest", "--log-level", "error").ready()
    yield Served(daemon)
    daemon.end()

"""The Python clients when something goes wrong: refused events and subscriptions, calls without a connection."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.client import AsyncClient, Client, CommandError, EventsRefusedError, NotConnectedError
from tests.leftovers import end_processes_of
from tests.recorder.cli_recorder.daemons import Daemon, environment
from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer, wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path / "own.db")
    yield server
    server.close()


def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def connections(server: RunningServer) -> int:
    return int(server.call(server.hub.status)["connections"])


def in_loop(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await test

    asyncio.run(bounded())


def test_the_connection_ends_with_the_block_when_its_last_events_are_refused(server: RunningServer) -> None:
    async def test() -> None:
        client = AsyncClient(url(server), TOKEN)
        with pytest.raises(EventsRefusedError):
            async with client:
                await client.send("test/start", {"testName": "one without an id"})
        await asyncio.to_thread(wait_until, lambda: connections(server) == 0)

    in_loop(test())


def test_a_subscription_that_is_refused_is_told(server: RunningServer) -> None:
    with Client(url(server), TOKEN) as client:
        with pytest.raises(CommandError, match="te\\*st") as refused:
            client.subscribe("te*st")
        assert refused.value.code == "INVALID_PATTERN"
        client.subscribe("test/*")


def test_a_subscription_without_the_role_for_it_is_told(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", "token", "create", "--name", "sender"]
    made = subprocess.run(
        [*command, "--role", "ingest", "--directory", str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    daemon = Daemon(folder).ready()
    try:
        with Client(daemon.discovery["url"], made.stdout.strip()) as client:
            with pytest.raises(CommandError, match="subscribe needs the role") as refused:
                client.subscribe("test/*")
            assert refused.value.code == "FORBIDDEN"
            client.flush()  # it is told once
    finally:
        daemon.end()
        end_processes_of(tmp_path)


@pytest.mark.parametrize("ended", [False, True])
def test_a_client_without_its_block_is_not_connected(server: RunningServer, ended: bool) -> None:
    client = Client(url(server), TOKEN)
    if ended:
        with client:
            client.flush()
    with pytest.raises(NotConnectedError, match="context manager"):
        client.request("echo")

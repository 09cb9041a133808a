"""The Python clients when something goes wrong: refused events and subscriptions, calls without a connection."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from semantest_recorder.client import AsyncClient, Client, CommandError, EventsRefusedError, NotConnectedError
from tests.leftovers import end_processes_of
from tests.recorder.cli_recorder.daemons import Daemon, environment
from tests.recorder.event_loop import in_loop
from tests.recorder.server.running import (
    DEADLINE_S,
    TOKEN,
    RunningServer,
    batch,
    records_of_test,
    run_start,
    wait_until,
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path / "own.db")
    yield server
    server.close()


def url(server: RunningServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def connections(server: RunningServer) -> int:
    return int(server.call(server.hub.status)["connections"])


def test_the_connection_ends_with_the_block_when_its_last_events_are_refused(server: RunningServer) -> None:
    async def test() -> None:
        client = AsyncClient(url(server), TOKEN)
        with pytest.raises(EventsRefusedError):
            async with client:
                await client.send("test/start", {"testName": "one without an id"})
        await asyncio.to_thread(wait_until, lambda: connections(server) == 0)

    in_loop(test())


def cut(server: RunningServer) -> None:
    def close_all() -> None:
        for peer in list(server.hub._connections.values()):
            peer.close_soon(1001, "stopping")

    server.call(close_all)
    wait_until(lambda: connections(server) == 0)


def looked_at(server: RunningServer) -> int:
    """How many events of clients the recorder has looked at."""
    return int(server.hub.security.metrics(0.0)["totalValidations"])


async def send_and_be_cut(server: RunningServer, payload: dict[str, Any], *, flush: bool = False) -> None:
    """One event, and a connection that breaks before the block ends."""
    before = looked_at(server)
    async with AsyncClient(url(server), TOKEN) as client:
        await client.send("test/passed", payload, run_id="r")
        if flush:
            await client.flush()
        await asyncio.to_thread(wait_until, lambda: server.call(lambda: looked_at(server)) == before + 1)
        await asyncio.to_thread(cut, server)


def test_what_was_sent_and_not_confirmed_is_told_when_the_connection_breaks(server: RunningServer) -> None:
    async def test() -> None:
        with pytest.raises(NotConnectedError, match="closed the connection \\(1001 stopping\\)"):
            await send_and_be_cut(server, {"testId": "t"})
        await send_and_be_cut(server, {"testId": "t"}, flush=True)
        with pytest.raises(EventsRefusedError):
            await send_and_be_cut(server, {"no": "id"})

    in_loop(test())


@pytest.mark.parametrize("garbage", ["no json", "[]", "{}", '{"type":"event"}', '{"type":"event","payload":null}'])
def test_a_server_that_speaks_another_language_is_left(garbage: str) -> None:
    async def speak(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(garbage)
        await socket.receive()
        return socket

    async def test() -> None:
        app = web.Application()
        app.router.add_get("/ws", speak)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with AsyncClient(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
            with pytest.raises(NotConnectedError, match="no message of the protocol"):
                await client.request("echo")
        await runner.cleanup()

    in_loop(test())


def test_who_waits_for_events_is_told_of_the_end(server: RunningServer) -> None:
    async def test() -> None:
        client = AsyncClient(url(server), TOKEN)
        async with client:
            await client.subscribe("*")
            waiting = asyncio.ensure_future(anext(client.events()))
            await client.request("echo")
        with pytest.raises(NotConnectedError, match="the client was closed"):
            await waiting
        async with client:
            assert await client.request("echo", 1) == 1, "it can be used again"
            with pytest.raises(CommandError, match="longer than a frame") as refused:
                await client.send("custom/x", {"text": "x" * 20_000_000})
            assert refused.value.code == "EVENT_TOO_LARGE"
            assert await client.request("echo", 2) == 2

    in_loop(test())


def test_a_test_of_an_asyncio_program(server: RunningServer) -> None:
    async def test() -> None:
        async with AsyncClient(url(server), TOKEN) as client:
            await client.start_run("r")
            async with client.test("fine"):
                pass
            with pytest.raises(ZeroDivisionError):
                await fail(client)
            status = await client.end_run("r")
            assert (status["passedTests"], status["failedTests"]) == (1, 1)

    async def fail(client: AsyncClient) -> None:
        async with client.test("broken", "for people", suiteId="s"):
            raise ZeroDivisionError("no money")

    in_loop(test())


class MuteError(Exception):
    """Cannot be told."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [AssertionError("of the test"), MuteError(), AssertionError("odd: \udcff")])
def test_the_error_of_a_test_goes_on_though_the_connection_broke(server: RunningServer, error: Exception) -> None:
    kind = type(error)

    async def asynchronous() -> None:
        async with AsyncClient(url(server), TOKEN) as client, client.test("t"):
            await asyncio.to_thread(cut, server)
            raise error

    with pytest.raises(kind) as raised:
        in_loop(asynchronous())
    assert raised.value is error

    def blocking() -> None:
        with Client(url(server), TOKEN) as client, client.test("t"):
            cut(server)
            raise error

    def behind_the_block_of_the_client() -> None:
        with ExitStack() as stack:
            with Client(url(server), TOKEN) as client:
                stack.enter_context(client.test("t"))
            raise error

    for test in (blocking, behind_the_block_of_the_client):
        with pytest.raises(kind) as raised:
            test()
        assert raised.value is error


def test_an_error_that_cannot_be_told_fails_its_test(server: RunningServer) -> None:
    with Client(url(server), TOKEN) as client:
        client.start_run("r")
        for error in (MuteError(), AssertionError("odd: \udcff")):
            with pytest.raises(type(error)), client.test(f"t {type(error).__name__}"):
                raise error
        assert client.end_run("r")["failedTests"] == 2


def test_a_cancelled_test_is_cancelled_though_the_connection_broke(server: RunningServer) -> None:
    async def test() -> None:
        began = asyncio.Event()

        async def work() -> None:
            async with client.test("t"):
                began.set()
                await asyncio.Event().wait()

        with suppress(NotConnectedError):
            async with AsyncClient(url(server), TOKEN) as client:
                task = asyncio.create_task(work())
                await began.wait()
                await asyncio.to_thread(cut, server)
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()

    in_loop(test())


@pytest.mark.parametrize("address", ["foo", "", "ftp://x", "http://"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(NotConnectedError, match="is no recorder URL; it looks like http"), Client(address, TOKEN):
        pass


def test_a_wrong_token_is_told_with_what_to_do(server: RunningServer) -> None:
    with pytest.raises(NotConnectedError, match=r"\(HTTP 401\): no valid token"), Client(url(server), "smt_wrong"):
        pass


def test_a_replay_that_is_left_early_ends_and_disturbs_nothing(server: RunningServer) -> None:
    shipper = server.connect()
    shipper.ask(batch(1, [run_start("r"), *(record for number in range(200) for record in records_of_test(number))]))
    with Client(url(server), TOKEN) as client:
        for event in client.replay(0, time.time() * 1000, speed=1e-6):
            assert event["type"] == "run/start"
            assert client.run_status("r")["totalTests"] == 200, "other questions are answered meanwhile"
            break
        wait_until(lambda: not server.hub._replaying)
        assert sum(1 for _event in client.replay(0, time.time() * 1000)) == 401
        with pytest.raises(CommandError, match="te\\*st"):
            next(client.replay(0, 1, types=["te*st"]))
        assert client.run_status("r")["totalTests"] == 200


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

"""Another WebSocket implementation, and many connections at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer, batch, records_of_test, run_start

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def hear(connection: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await connection.receive_str(timeout=2 * DEADLINE_S))
    return message


def test_the_compression_that_it_offers_is_declined_and_all_works_without(server: RunningServer) -> None:
    async def talk() -> None:
        async with (
            aiohttp.ClientSession(headers=HEADERS) as http,
            http.ws_connect(f"http://127.0.0.1:{server.port}/", compress=15) as connection,
        ):
            assert not connection.compress
            assert (await hear(connection))["payload"]["type"] == "system.connected"
            await connection.send_json({"id": "p", "type": "ping"})
            assert (await hear(connection))["type"] == "pong"
            await connection.send_bytes(json.dumps(batch(1, [run_start()])).encode())
            assert (await hear(connection))["seq"] == 1
            await connection.ping()  # the protocol's own, answered by its pong: the next message still comes
            await connection.send_json({"id": "q", "type": "request", "method": "server.health"})
            assert (await hear(connection))["payload"]["status"] == "ok"

    asyncio.run(talk())


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (HEADERS | {"Origin": "null"}, 403)])
def test_a_refused_handshake_tells_the_client_why(server: RunningServer, headers: dict[str, str], status: int) -> None:
    async def refused() -> int:
        async with aiohttp.ClientSession(headers=headers) as http:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await http.ws_connect(f"http://127.0.0.1:{server.port}/ws")
            return caught.value.status

    assert asyncio.run(refused()) == status


@pytest.mark.hazard(28)
@pytest.mark.parametrize(
    ("watchers", "sources"), [(60, 16), pytest.param(1000, 128, marks=pytest.mark.slow)], ids=["short", "full"]
)
def test_many_subscribers_and_sources_at_once(serve: Callable[..., RunningServer], watchers: int, sources: int) -> None:
    server = serve()

    async def watch(http: aiohttp.ClientSession, ready: asyncio.Semaphore) -> set[str]:
        async with http.ws_connect(f"http://127.0.0.1:{server.port}/ws") as connection:
            await hear(connection)
            await connection.send_json({"id": 1, "type": "subscribe", "payload": {"eventTypes": ["worker/start"]}})
            assert (await hear(connection))["success"]
            ready.release()
            return {(await hear(connection))["payload"]["payload"]["worker"] for _ in range(sources)}

    async def ship(http: aiohttp.ClientSession, worker: str) -> int:
        async with http.ws_connect(f"http://127.0.0.1:{server.port}/ws") as connection:
            await hear(connection)
            events = [run_start("r1", worker), *records_of_test(int(worker[2:]))]
            await connection.send_json(batch(1, events, f"s.{worker}"))
            return int((await hear(connection))["seq"])

    async def all_at_once() -> None:
        ready, workers = asyncio.Semaphore(0), [f"gw{n}" for n in range(sources)]
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as http:
            watching = [asyncio.create_task(watch(http, ready)) for _ in range(watchers)]
            for _ in watching:
                await ready.acquire()
            assert await asyncio.gather(*(ship(http, worker) for worker in workers)) == [3] * sources
            assert await asyncio.gather(*watching) == [set(workers)] * watchers

    asyncio.run(all_at_once())

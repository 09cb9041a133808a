"""Who waits for a place gets it in turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from semantest_recorder.archive import Archive
from semantest_recorder.server.turns import Turns
from tests.recorder.server.running import Client, RunningServer, wait_until
from tests.recorder.server.saying import request

_MANY = 20


async def _order(places: int, wanted: Sequence[str], cancelled: Sequence[int] = ()) -> list[str]:
    """The order in which all get a place that is taken at first; in upper case: small things."""
    turns, order = Turns(places), list[str]()
    full = asyncio.Event()

    async def hold() -> None:
        async with turns.turn("first"):
            await full.wait()

    async def take(holder: str) -> None:
        async with turns.turn(holder.lower(), is_small=holder.isupper()):
            order.append(holder)
            await asyncio.sleep(0)

    holding = [asyncio.create_task(hold()) for _ in range(places)]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(take(holder)) for holder in wanted]
    await asyncio.sleep(0)
    assert order == []
    for index in cancelled:
        waiting[index].cancel()
    full.set()
    await asyncio.gather(*holding)
    await asyncio.gather(*waiting, return_exceptions=True)
    async with turns.turn("last"):
        order.append("last")
    return order


@pytest.mark.parametrize(
    ("wanted", "order"),
    [("aaaab", "abaaa"), ("aaabbc", "abcaba"), ("aaAb", "Abaa"), ("abAB", "ABab")],
)
def test_holders_take_turns_and_small_things_of_one_go_first(wanted: str, order: str) -> None:
    assert asyncio.run(_order(1, wanted)) == [*order, "last"]


def test_who_waits_no_more_takes_no_place() -> None:
    assert asyncio.run(_order(1, "aabb", cancelled=[0, 2, 3])) == ["a", "last"]
    assert asyncio.run(_order(2, "aa", cancelled=[0, 1])) == ["last"]


@pytest.mark.hazard(28)
def test_a_client_that_asks_without_end_holds_up_nobody_s_run(
    serve: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, goes_on = list[str](), threading.Event()
    find = Archive._find

    def found(archive: Archive, query: str, parameters: Mapping[str, Any]) -> object:
        asked.append(query)
        goes_on.wait()
        return find(archive, query, parameters)

    monkeypatch.setattr(Archive, "_find", found)
    server = serve(anonymous=True)
    own = server.connect()
    strangers = [Client(f"ws://127.0.0.1:{server.port}/ws", []) for _ in range(_MANY)]
    try:
        for stranger in strangers:
            stranger.send({"id": "q", "type": "request", "method": "getStatistics"})
        wait_until(lambda: len(asked) == 2 and server.call(lambda: len(server.hub._tasks)) == _MANY)
        own.send({"id": "r", "type": "startTestRun", "payload": {"runId": "mine"}})
        wait_until(lambda: server.call(lambda: len(server.hub._tasks)) == _MANY + 1)
    finally:
        goes_on.set()
    assert own.until("testRunStarted")["payload"]["runId"] == "mine"
    assert all(stranger.until("response")["success"] for stranger in strangers)
    assert asked.index("runStatus") <= 4
    assert request(own, "getRunStatus", {"runId": "mine"})["status"] == "running"

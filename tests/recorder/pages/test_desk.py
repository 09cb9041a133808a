"""Where pages are made, behind a real server: one visitor leaves others a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from threading import Event
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from semantest_recorder.core.access import Identity, Role
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.page import Desk, Page, Visit
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.server.guard import IDENTITY

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def by_header(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[IDENTITY] = Identity(request.headers["From"], frozenset({Role.READ}))
    return await handler(request)


def test_who_asks_for_many_slow_pages_holds_up_no_other_visitor() -> None:
    goes_on, began = Event(), asyncio.Event()

    async def ask() -> None:
        loop = asyncio.get_running_loop()

        def slow(_visit: Visit) -> Mapping[str, Any]:
            loop.call_soon_threadsafe(began.set)
            goes_on.wait()
            return {"status": 200, "detail": "slow", "near": ()}

        desk = Desk(Drawing(StaticFiles(), "shop"))
        app = web.Application(middlewares=[by_header])
        pages = (
            Page("/slow", "error.html", "", slow),
            Page("/", "error.html", "", lambda _: {"status": 200, "detail": "", "near": ()}),
        )
        for page in pages:
            app.router.add_get(page.path, desk.route(page).handler)
        async with TestClient(TestServer(app)) as client:
            many = [asyncio.create_task(client.get("/slow", headers={"From": "mallory"})) for _ in range(9)]
            try:
                await began.wait()
                async with asyncio.timeout(30), client.get("/", headers={"From": "anna"}) as answer:
                    assert answer.status == 200
                assert not any(task.done() for task in many)
            finally:
                goes_on.set()
            assert [(await task).status for task in many] == [200] * 9
        desk.close()

    asyncio.run(ask())


def test_a_page_that_was_asked_for_is_made_again_before_it_is_asked_for_again() -> None:
    stamp, made = 1, list[str]()

    def view(visit: Visit) -> Mapping[str, Any]:
        made.append(visit.asked("window"))
        return {"status": 200, "detail": f"stamp {stamp}", "near": ()}

    async def ask() -> None:
        nonlocal stamp
        desk = Desk(Drawing(StaticFiles(), "shop"))
        assert not desk.is_visited()
        page = Page("/slow", "error.html", "", view, stamp=lambda _: stamp, warmed=True, asks=("window",))
        app = web.Application(middlewares=[by_header])
        app.router.add_get("/slow", desk.route(page).handler)
        async with TestClient(TestServer(app)) as client:
            headers = {"From": "anna"}
            for path in ("/slow?window=20", "/slow?window=100", "/slow?window=20"):
                assert (await client.get(path, headers=headers)).status == 200
            assert made == ["20", "100"]
            assert desk.is_visited()
            stamp = 2
            for call in desk.lately():
                call()
            assert made == ["20", "100", "100", "20"]
            answer = await client.get("/slow?window=20", headers=headers)
            assert "stamp 2" in await answer.text()
            assert len(made) == 4
        desk.close()

    asyncio.run(ask())

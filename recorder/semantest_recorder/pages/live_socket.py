"""The WebSocket over which open pages are told what happens. Who says something on it is let go: our pages do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, hdrs, web

from semantest_recorder.core.access import READERS, Denied, Identity
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.pages.watcher import Watcher
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Route

#: Where pages ask for it; what is sent is theirs, and no interface for others, who subscribe at ``/ws``.
FEED_PATH, RUN_FEED_PATH = "/live/feed", "/runs/{run}/live/feed"
#: How often it is looked whether a page may go on, and how often it hears that the connection stands, in seconds.
_LOOK_S, _HEARTBEAT_LOOKS = 1.0, 5
_SAID_MAX = 1024

#: Why somebody may not go on, by the policy; as the guard asks.
Admit = Callable[[Identity], Denied | None]


def live_socket_routes(channel: LiveChannel, admit: Admit) -> list[Route]:
    """The routes of the feeds: of all runs, and of one."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            return problem(426, "UPGRADE_REQUIRED", "this address speaks WebSocket", {"Upgrade": "websocket"})
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_SAID_MAX, compress=False)
        await socket.prepare(request)
        if request.transport is None:
            return socket
        watcher, run_id = Watcher(request.transport), request.match_info.get("run")
        channel.join(run_id, watcher)
        keeping = asyncio.create_task(_keep(socket, watcher, lambda: admit(request[IDENTITY]) is None))
        try:
            said = await socket.receive()
            if said.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await socket.close(code=1008, message=b"nothing is said here")
        finally:
            channel.leave(run_id, watcher)
            keeping.cancel()
        return socket

    return [Route("GET", path, answer, READERS) for path in (FEED_PATH, RUN_FEED_PATH)]


async def _keep(socket: web.WebSocketResponse, watcher: Watcher, may_go_on: Callable[[], bool]) -> None:
    """Lets the page hear of us while nothing happens, and ends with its token."""
    looks = 0
    while may_go_on():
        await asyncio.sleep(_LOOK_S)
        looks += 1
        if looks % _HEARTBEAT_LOOKS == 0:
            watcher.tell(b"{}")
    await socket.close(code=1008, message=b"not allowed any more")

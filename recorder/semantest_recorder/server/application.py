"""The aiohttp application: its routes behind the guard."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable
from contextlib import nullcontext
from typing import TypedDict, Unpack

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from semantest_recorder.core.access import ANY_ROLE, AddressRules, Credentials
from semantest_recorder.server.guard import IDENTITY, Doors, guard
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.no_http import SIGNED_AS
from semantest_recorder.server.observing import REQUEST_ID, RequestMeasures, observing
from semantest_recorder.server.problem import problem
from semantest_recorder.server.request_id import HEADER
from semantest_recorder.server.routes import IN_USE, Doc, Route, add_routes, route_of
from semantest_recorder.server.visitors import ErrorPage, Visitors, wants_page

#: Names of tests may be long, and three times as long in a URL.
_URL_MAX = 64 * 1024
#: The page that people see first, where there are pages.
HOME = "/runs"


class MoreDoors(TypedDict, total=False):
    """What a server of the daemon has beside a plain one."""

    visitors: Visitors
    welcome: Callable[[web.Request], None]
    error_page: ErrorPage


def create_application(
    hub: Hub,
    addresses: AddressRules,
    credentials: Credentials,
    routes: Iterable[Route] = (),
    measures: RequestMeasures | None = None,
    **doors: Unpack[MoreDoors],
) -> web.Application:
    """The application with its own routes (WebSocket and health) and those of other rooms; ``doors``: see ``Doors``.

    ``measures`` count all requests.
    """
    observe = observing(measures or RequestMeasures(), doors.get("error_page"))
    check = guard(Doors(addresses, credentials, hub.security.admit, **doors))
    app = web.Application(middlewares=[observe, check, _activity(hub)])
    routes = list(routes)
    add_routes(app, [*own_routes(hub, {route.path for route in routes if route.is_page}), *routes])
    app[IN_USE] = hub.in_use
    app.on_response_prepare.append(_say_little)
    return app


def create_runner(app: web.Application, shutdown_timeout_s: float) -> web.AppRunner:
    """What serves the application; it decompresses nothing, for bodies come before anybody knows whose they are."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=_http_logger(),
        handle_signals=False,
        shutdown_timeout=shutdown_timeout_s,
        auto_decompress=False,
        max_line_size=_URL_MAX,
    )


def _http_logger() -> logging.Logger:
    """Where aiohttp's protocol logs: what is no HTTP is one line there, not a traceback that any stranger can order."""
    logger = logging.getLogger(f"{__name__}.http")
    logger.addFilter(_in_one_line)  # the same function is added once
    return logger


def _in_one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args = "refused what is no HTTP: %s", (type(error).__name__,)  # the text may quote a token
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


async def _say_little(request: web.Request, response: web.StreamResponse) -> None:
    """No versions of ours for strangers, and no guessing, keeping, framing or embedding of what we send."""
    if (request_id := request.get(REQUEST_ID)) is not None:
        response.headers[HEADER] = request_id
    response.headers["Server"] = SIGNED_AS
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers.setdefault("Cache-Control", "no-store")


def own_routes(hub: Hub, pages: Container[str] = ()) -> list[Route]:
    """The routes that every application has; ``pages``: the addresses that people go to."""

    async def websocket(request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            if wants_page(request) and HOME in pages:
                return web.Response(status=303, headers={"Location": HOME})
            return problem(426, "UPGRADE_REQUIRED", "this address speaks WebSocket", {"Upgrade": "websocket"})
        if not hub.accepting:
            return problem(503, "STOPPING", "the recorder is stopping; connect again in a moment")
        return await hub.serve(request, request[IDENTITY])

    async def healthz(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok")

    async def readyz(_request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok") if hub.is_ready else web.Response(text="not ready", status=503)

    lives = Doc("Whether it lives", str, media="text/plain")
    takes = Doc("Whether it takes events", str, media="text/plain", statuses=(200, 503))
    return [
        Route("GET", "/", websocket, ANY_ROLE, is_page=HOME in pages),
        Route("GET", "/ws", websocket, ANY_ROLE),
        Route("GET", "/healthz", healthz, None, is_use=False, doc=lives),
        Route("GET", "/readyz", readyz, None, is_use=False, doc=takes),
    ]


def _activity(hub: Hub) -> Middleware:
    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_of(request)
        with hub.in_use() if route is not None and route.is_use else nullcontext():
            return await handler(request)

    return note

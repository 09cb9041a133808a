"""``GET /metrics``: what Prometheus scrapes, with a bearer token of the role ``read``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from semantest_recorder.core.access import READERS
from semantest_recorder.server.routes import Doc, Route

METRICS_PATH = "/metrics"
#: What an ``Accept`` asks for, as a body and its ``Content-Type``.
Expose = Callable[[str], Awaitable[tuple[bytes, str]]]


def metrics_route(expose: Expose) -> Route:
    """The route. Who watches the recorder does not use it: one that ends when idle does so all the same."""

    async def metrics(request: web.Request) -> web.StreamResponse:
        body, content_type = await expose(",".join(request.headers.getall(hdrs.ACCEPT, ())))
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type})

    doc = Doc("What Prometheus scrapes, as text or OpenMetrics", str, media="*/*")
    return Route("GET", METRICS_PATH, metrics, READERS, is_use=False, doc=doc)

"""``GET /api/v1/status``: what ``semantest-recorder status --json`` shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from semantest_recorder.core.access import READERS
from semantest_recorder.server.documents import RecorderStatus
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.problem import problem
from semantest_recorder.server.query import InvalidQuery, NoParameters, read_query
from semantest_recorder.server.routes import Doc, Route

STATUS_PATH = "/api/v1/status"


def status_route(hub: Hub, process: Callable[[], dict[str, Any]]) -> Route:
    """The route; ``process`` adds what the hub does not know: pid, url, versions, database."""

    async def status(request: web.Request) -> web.StreamResponse:
        try:
            read_query(NoParameters, request.query.items())
        except InvalidQuery as error:
            return problem(400, "INVALID_REQUEST", str(error))
        return web.Response(body=msgspec.json.encode(process() | hub.status()), content_type="application/json")

    doc = Doc("How the recorder is", RecorderStatus, NoParameters)
    return Route("GET", STATUS_PATH, status, READERS, is_use=False, doc=doc)

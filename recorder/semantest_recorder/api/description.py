"""``GET /api/v1/openapi.json``: the description of all routes."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from semantest_recorder.api.encoded import Encoded, takes_gzip
from semantest_recorder.api.openapi import openapi
from semantest_recorder.core.access import ANY_ROLE
from semantest_recorder.server.routes import ROUTES, Doc, Route

OPENAPI = "/api/v1/openapi.json"


def description_route(version: str) -> Route:
    """The route; the description is made when it is first asked for."""
    made: list[Encoded] = []

    async def describe(request: web.Request) -> web.StreamResponse:
        if not made:
            made.append(Encoded(msgspec.json.encode(openapi(request.app[ROUTES].values(), version))))
        if takes_gzip(request):
            made[0].pack()
        return made[0].response(request)

    doc = Doc("This description, OpenAPI 3.1", dict[str, Any], statuses=(200, 304))
    return Route("GET", OPENAPI, describe, ANY_ROLE, doc=doc)

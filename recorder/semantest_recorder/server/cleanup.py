"""``POST /api/v1/cleanup``: deletes runs while others are recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from semantest_recorder.core.access import Role
from semantest_recorder.server.documents import Deleted
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Doc, Route

CLEANUP_PATH = "/api/v1/cleanup"
#: In one request: a plan of more is sent in parts.
MAX_RUNS = 1000


class CleanupRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The ids of the runs to delete."""

    runs: list[str]


def cleanup_route(clean: Callable[[list[str]], Awaitable[Any]]) -> Route:
    """The route, answered when all is done; ``clean`` raises ``RuntimeError`` with what to tell when it cannot."""

    async def cleanup(request: web.Request) -> web.StreamResponse:
        try:
            asked = msgspec.json.decode(await request.read(), type=CleanupRequest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, "INVALID_REQUEST", f'send {{"runs": [ids]}}: {error}')
        if len(asked.runs) > MAX_RUNS:
            return problem(400, "INVALID_REQUEST", f"at most {MAX_RUNS} runs in one request")
        try:
            answer = await clean(asked.runs)
        except RuntimeError as error:
            return problem(503, "STORE_ERROR", str(error))
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    doc = Doc("Delete runs", Deleted, body=CleanupRequest, errors=(413, 503))
    return Route("POST", CLEANUP_PATH, cleanup, frozenset({Role.ADMIN}), doc=doc)

"""``POST /api/v1/aliases``: what a user says of the earlier name of a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from semantest_recorder.core.access import Role
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Doc, Route

ALIASES_PATH = "/api/v1/aliases"
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class AliasRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``old`` is (``added``) or is not (``removed``) an earlier name of ``new``."""

    old: _Name
    new: _Name
    state: Literal["added", "removed"]


def alias_route(say: Callable[[str, str, str], Awaitable[None]]) -> Route:
    """The route; ``say`` takes old name, new name and state, and raises ``RuntimeError`` when it cannot."""

    async def aliases(request: web.Request) -> web.StreamResponse:
        try:
            asked = msgspec.json.decode(await request.read(), type=AliasRequest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, "INVALID_REQUEST", f'send {{"old": name, "new": name, "state": "added"}}: {error}')
        try:
            await say(asked.old, asked.new, asked.state)
        except RuntimeError as error:
            return problem(503, "STORE_ERROR", str(error))
        return web.json_response({})

    doc = Doc("Say that a name is, or is not, an earlier name of a test", dict[str, str], body=AliasRequest)
    return Route("POST", ALIASES_PATH, aliases, frozenset({Role.ADMIN}), doc=doc._replace(errors=(413, 503)))

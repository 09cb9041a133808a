"""``POST /api/v1/alerts/actions``: what people ask for of alerts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from semantest_recorder.core.access import Role
from semantest_recorder.core.alerts.actions import Action, Done
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Doc, Route

ALERT_ACTIONS_PATH = "/api/v1/alerts/actions"


def alert_actions_route(act: Callable[[Action], Awaitable[Done]]) -> Route:
    """The route, answered when it is done; ``act`` raises ``Refusal``."""

    async def actions(request: web.Request) -> web.StreamResponse:
        try:
            asked = msgspec.json.decode(await request.read(), type=Action)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(400, "INVALID_REQUEST", f'send {{"do": "silence", "untilMs": ...}} or the like: {error}')
        try:
            done = await act(asked)
        except Refusal as refusal:
            return problem(503 if refusal.code == "STORE_ERROR" else 400, refusal.code, str(refusal))
        return web.Response(body=msgspec.json.encode(done), content_type="application/json")

    doc = Doc("Silence alerts, end a silence, try a channel, deliver again", Done, body=Action, errors=(413, 503))
    return Route("POST", ALERT_ACTIONS_PATH, actions, frozenset({Role.ADMIN}), doc=doc)

"""Routes for an aiohttp server of somebody's own: the wire, and attachments, which need more than a WebSocket."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from pytest_semantest.protocol.layout import TEST_SNAPSHOT
from semantest_recorder.core.access import ANY_ROLE, Denied, Identity
from semantest_recorder.embedding.snapshot import CurrentSnapshot
from semantest_recorder.owed_reading import answer_owed
from semantest_recorder.server.artifacts import artifact_routes
from semantest_recorder.server.guard import IDENTITY, is_encoded, not_decoded, refusal
from semantest_recorder.server.owed import owed_route
from semantest_recorder.server.routes import Route
from semantest_recorder.server.snapshot import snapshot_route
from semantest_recorder.store.artifacts import ArtifactStore

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration


def aiohttp_routes(
    system: OrchestratorIntegration, attachments: Path, *, origins: Collection[str] = ()
) -> list[web.RouteDef]:
    """The routes that pytest asks, for ``app.add_routes``.

    ``GET /ws``, ``PUT`` and ``GET /api/v1/artifacts/<sha256>``, ``GET /api/v1/test-snapshot`` and ``GET /api/v1/owed``.
    ``attachments``: the folder that files are kept in, attachments below ``artifacts``; it is made. ``origins``: of the
    pages that may come in; a request with another Origin is refused, as is one without the token while the policy
    requires it. Raises ``OSError`` when the folder cannot be made.
    """
    attachments.mkdir(parents=True, exist_ok=True)

    async def websocket(request: web.Request) -> web.StreamResponse:
        if system.stopping:
            return refusal(Denied(503, "STOPPING", "the recorder is stopping"))
        return await system.hub.serve(request, request[IDENTITY])

    database = system.engine.database
    routes = [
        Route("GET", "/ws", websocket, ANY_ROLE),
        *artifact_routes(ArtifactStore(attachments)),
        snapshot_route(attachments, CurrentSnapshot(database, attachments / TEST_SNAPSHOT).refresh),
        owed_route(partial(answer_owed, database)),
    ]
    return [web.route(route.method, route.path, _guarded(system, route, origins)) for route in routes]


def _guarded(system: OrchestratorIntegration, route: Route, origins: Collection[str]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        identity = _admit(system, request, route, origins)
        if isinstance(identity, Denied):
            return refusal(identity)
        if is_encoded(request):
            return not_decoded()
        request[IDENTITY] = identity
        return await route.handler(request)

    return handle


def _admit(
    system: OrchestratorIntegration, request: web.Request, route: Route, origins: Collection[str]
) -> Identity | Denied:
    if any(origin not in origins for origin in request.headers.getall(hdrs.ORIGIN, ())):
        return Denied(403, "FORBIDDEN", "this Origin is not allowed")
    identity = system.identify(request.headers.getall(hdrs.AUTHORIZATION, ()))
    if isinstance(identity, Identity) and route.roles is not None and not identity.has_any(route.roles):
        return Denied(403, "FORBIDDEN", "the token does not allow this")
    return identity if isinstance(identity, Denied) else system.security.admit(identity) or identity

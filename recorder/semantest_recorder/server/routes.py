"""The table of routes: what is served, and who may ask. The guard reads it, so no route can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from semantest_recorder.core.access import ANY_ROLE, Role


class Route(NamedTuple):
    """One route; ``roles`` are those of which the client needs one, ``None`` opens it to everybody."""

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | None


#: The roles of every handler that the application serves.
RouteRoles = Mapping[tuple[str, str], frozenset[Role] | None]
ROUTE_ROLES: web.AppKey[RouteRoles] = web.AppKey("route_roles", dict)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Registers the routes, and their roles for the guard. Raises ``ValueError`` for a route given twice."""
    roles: dict[tuple[str, str], frozenset[Role] | None] = {}
    for route in routes:
        if (route.method, route.path) in roles:
            raise ValueError(f"two routes for {route.method} {route.path}")
        app.router.add_route(route.method, route.path, route.handler)
        roles[route.method, route.path] = route.roles
    app[ROUTE_ROLES] = roles


def roles_of(request: web.Request) -> frozenset[Role] | None:
    """The roles of which the client of this request needs one; for an unknown route any known client's."""
    resource = request.match_info.route.resource
    if resource is None:
        return ANY_ROLE
    # A HEAD request and the like that no route names gets 405, after the client has said who it is.
    return request.app[ROUTE_ROLES].get((request.method, resource.canonical), ANY_ROLE)

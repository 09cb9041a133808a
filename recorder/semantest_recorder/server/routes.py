"""The table of routes: what is served, and who may ask. The guard reads it, so no route can be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from semantest_recorder.core.access import ANY_ROLE, Role


class Route(NamedTuple):
    """One route.

    ``roles`` are those of which the client needs one, ``None`` opens it to everybody; ``is_use``: asking it means that
    somebody uses the recorder, which then does not end for idleness. ``is_page``: people go there with a browser, by
    links of other sites, too.
    """

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | None
    is_use: bool = True
    is_page: bool = False


RouteTable = Mapping[tuple[str, str], Route]
#: Somebody uses the recorder while its block lasts: for answers that are sent behind their handler. Not in all servers.
IN_USE: web.AppKey[Callable[[], AbstractContextManager[None]]] = web.AppKey("in use")
ROUTES: web.AppKey[RouteTable] = web.AppKey("routes", dict)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Registers the routes. Raises ``ValueError`` for a route given twice."""
    table: dict[tuple[str, str], Route] = {}
    for route in routes:
        if any((route.method, route.path) == (other.method, other.path) for other in table.values()):
            raise ValueError(f"two routes for {route.method} {route.path}")
        resource = app.router.add_route(route.method, route.path, route.handler).resource
        table[route.method, route.path if resource is None else resource.canonical] = route
    app[ROUTES] = table


def route_of(request: web.Request) -> Route | None:
    """The route that a request is for, or ``None`` for an unknown page or a method that no route names."""
    resource = request.match_info.route.resource
    return None if resource is None else request.app[ROUTES].get((request.method, resource.canonical))


def roles_of(request: web.Request) -> frozenset[Role] | None:
    """The roles of which the client needs one. What is not in the table is told to known clients only."""
    route = route_of(request)
    return ANY_ROLE if route is None else route.roles

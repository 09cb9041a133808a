"""The table of routes: what is served, and who may ask. The guard reads it, so no route can be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from semantest_recorder.core.access import ANY_ROLE, Role


class Doc(NamedTuple):
    """What the reference says of a route, from which its OpenAPI description is made.

    ``answer`` and ``body`` are types of which JSON is sent, ``bytes`` for what is no JSON (of the type ``media``), or
    ``None`` for nothing; ``body_required``: the body must be there. ``query``: the struct that the query is read into.
    ``entries``: the name of what ``fields`` of the query chooses from. ``statuses`` are those of success, ``errors``
    others beside those that any route may answer with.
    """

    summary: str
    answer: Any = None
    query: type[msgspec.Struct] | None = None
    body: Any = None
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
    entries: str | None = None
    media: str = "application/json"
    body_required: bool = True


class Route(NamedTuple):
    """One route; one that takes ``GET`` takes ``HEAD``, too.

    ``roles`` are those of which the client needs one, ``None`` opens it to everybody; ``is_use``: asking it means that
    somebody uses the recorder, which then does not end as idle; ``is_page``: people look at it in a browser, and come
    to it by links of other sites, too. ``doc`` describes a route of the API.
    """

    method: str
    path: str
    handler: Handler
    roles: frozenset[Role] | None
    is_use: bool = True
    is_page: bool = False
    doc: Doc | None = None


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
        if route.method == hdrs.METH_GET:
            app.router.add_route(hdrs.METH_HEAD, route.path, route.handler)
        table[route.method, route.path if resource is None else resource.canonical] = route
    app[ROUTES] = table


def route_of(request: web.Request) -> Route | None:
    """The route that a request is for, or ``None`` for an unknown page or a method that no route names."""
    resource = request.match_info.route.resource
    method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
    return None if resource is None else request.app[ROUTES].get((method, resource.canonical))


def roles_of(request: web.Request) -> frozenset[Role] | None:
    """The roles of which the client needs one. What is not in the table is told to known clients only."""
    route = route_of(request)
    return ANY_ROLE if route is None else route.roles

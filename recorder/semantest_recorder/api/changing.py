"""Routes that change something, or tell what is not in the database: their answers are not kept by anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from semantest_recorder.api.problems import problem_of
from semantest_recorder.api.queries import Query
from semantest_recorder.core.access import Role
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.problem import problem
from semantest_recorder.server.query import InvalidQuery, read_query
from semantest_recorder.server.routes import Doc, Route

#: Gives the answer, ``None`` for none. Raises ``Refusal``.
Perform = Callable[[web.Request], Awaitable[object]]


def change_route(method: str, path: str, doc: Doc, perform: Perform, roles: frozenset[Role]) -> Route:
    """The route; it takes no parameters in its query."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            read_query(Query, request.query.items())
            found = await perform(request)
        except InvalidQuery as error:
            return problem(400, "INVALID_REQUEST", str(error))
        except Refusal as refusal:
            return problem_of(refusal)
        if found is None:
            return web.Response(status=doc.statuses[0])
        return web.Response(body=msgspec.json.encode(found), status=doc.statuses[0], content_type="application/json")

    return Route(method, path, answer, roles, doc=doc._replace(query=Query))

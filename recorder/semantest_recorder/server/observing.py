"""The outermost middleware: each request gets its id, is counted, timed and logged; a fault of ours is answered."""

from __future__ import annotations

import logging
from collections import Counter
from http import HTTPStatus
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from semantest_recorder.core.measures import Histogram
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.request_id import HEADER, id_of, in_request
from semantest_recorder.server.routes import route_of
from semantest_recorder.server.visitors import ErrorPage, as_page

#: The id that a request has here.
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request id", str)
#: What is counted for pages that are not there, and for methods that a page does not take.
OTHER = "other"

_log = logging.getLogger(__name__)


class RequestMeasures:
    """Requests by route, as the table of routes writes it, method and class of status; and how long they took.

    ``durations``: seconds by route and method until the answer was made. A WebSocket's handshake is counted when its
    connection ends, and has none.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.durations: dict[tuple[str, str], Histogram] = {}

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests[route, method, f"{status // 100}xx"] += 1
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            found = self.durations.get((route, method))
            if found is None:
                found = self.durations[route, method] = Histogram()
            found.observe(seconds)


def observing(measures: RequestMeasures, error_page: ErrorPage | None = None) -> Middleware:
    """The middleware, which adds to ``measures``; ``error_page`` draws what a browser shows of a fault of ours."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = request[REQUEST_ID] = id_of(request.headers.getall(HEADER, ()))
        began_s, status = monotonic(), 500
        with in_request(request_id):
            try:
                response = await _answer(request, handler, error_page)
                status = response.status
                return response
            except web.HTTPException as answer:
                status = answer.status
                raise
            finally:
                _note(request, status, monotonic() - began_s, measures)

    return observe


def _note(request: web.Request, status: int, seconds: float, measures: RequestMeasures) -> None:
    route = route_of(request)
    path, method = (OTHER, OTHER) if route is None else (route.path, route.method)
    measures.note(path, method, status, seconds)
    _log_request(request, path, method, status, seconds)


async def _answer(request: web.Request, handler: Handler, error_page: ErrorPage | None) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        _log.exception("a request could not be answered")
        if request.writer.output_size > 0:  # half of an answer is out: only the end of the connection tells so
            raise
        answer = problem(500, "INTERNAL_ERROR", "the recorder could not answer; its log says why, under this requestId")
        said = f"the recorder could not answer; its log says why, under the request {request[REQUEST_ID]}"
        return as_page(request, answer, said, error_page)


def _log_request(request: web.Request, path: str, method: str, status: int, seconds: float) -> None:
    """Requests that went well are for who looks closely. The guard has told of those that it refused."""
    level = logging.WARNING if status >= 500 else logging.INFO if status >= 400 else logging.DEBUG
    level = logging.DEBUG if status in (401, 403) else level
    if not _log.isEnabledFor(level):
        return
    identity = request.get(IDENTITY)
    name = identity.name if identity is not None else ""
    duration_ms = round(seconds * 1000, 3)
    fields = {"method": method, "route": path, "status": status, "durationMs": duration_ms, "name": name}
    who = name or "a stranger"
    # The route is a part of the kind of line: the log takes only so many of one kind.
    text = f"{method} {path}: %d in %g ms for %s".replace("{", "<").replace("}", ">")
    _log.log(level, text, status, duration_ms, who, extra={"fields": fields})

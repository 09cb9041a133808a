"""``/sign-in``: the page for whoever has no cookie yet."""

from __future__ import annotations

from aiohttp import web

from semantest_recorder.core.sign_ins import is_own_path
from semantest_recorder.pages.drawing import Drawing, html
from semantest_recorder.server.routes import Route
from semantest_recorder.server.visitors import SIGN_IN_PATH


def sign_in_page(drawing: Drawing) -> Route:
    """The route. The code of ``semantest open`` is behind the ``#`` of the address: it is sent nowhere by itself."""

    async def answer(request: web.Request) -> web.StreamResponse:
        goal = request.query.get("next", "/")
        values = {"goal": goal if is_own_path(goal) else "/", "wrong": request.query.get("wrong", "")}
        return html(drawing.draw("sign_in.html", None, "", **values))

    return Route("GET", SIGN_IN_PATH, answer, None, is_page=True)

"""Signing in and out: a code for whoever has a token, a cookie for a code or a token, and its end."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from aiohttp import web

from semantest_recorder.core.access import ANY_ROLE
from semantest_recorder.core.sign_ins import CODE_MS, is_own_path
from semantest_recorder.server.documents import SignInCode
from semantest_recorder.server.form import read_form
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Doc, Route
from semantest_recorder.server.visitors import SIGN_IN_PATH, Visitors

SIGN_IN_CODES_PATH = "/api/v1/sign-in-codes"
SIGN_OUT_PATH = "/sign-out"


def sign_in_routes(visitors: Visitors) -> list[Route]:
    """``POST /api/v1/sign-in-codes``, ``POST /sign-in`` and ``POST /sign-out``."""

    async def make_code(request: web.Request) -> web.StreamResponse:
        if request[IDENTITY].is_anonymous:
            return problem(403, "FORBIDDEN", "nobody signs in here: no token is wanted")
        body = {"code": visitors.offer_code(request, request[IDENTITY]), "expiresInMs": CODE_MS}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def sign_in(request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        code, token, goal = (form.get(name, "") for name in ("code", "token", "next"))
        goal = goal if is_own_path(goal) else "/"
        response = web.Response(status=303, headers={"Location": goal})
        wrong = visitors.sign_in(request, response, code=code, token=token)
        if wrong is not None:
            response.headers["Location"] = f"{SIGN_IN_PATH}?wrong={wrong}&next={quote(goal, safe='')}"
        return response

    async def sign_out(request: web.Request) -> web.StreamResponse:
        response = web.Response(status=303, headers={"Location": SIGN_IN_PATH})
        visitors.sign_out(request, response)
        return response

    return [
        Route("POST", SIGN_IN_CODES_PATH, make_code, ANY_ROLE, doc=Doc("A code to sign in with once", SignInCode)),
        Route("POST", SIGN_IN_PATH, sign_in, None),
        Route("POST", SIGN_OUT_PATH, sign_out, ANY_ROLE),
    ]

"""``/settings``: how the recorder is, its policy and plugins, and the tokens that it gave out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from semantest_recorder.core.access import ADMINS, Role
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.tokens import Token
from semantest_recorder.pages.page import TOLD, Desk, Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.server.form import read_form
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import Route
from semantest_recorder.token_book import TokenBook

PATH = "/settings"
_DAY_MS = 86_400_000.0
#: After how many days a token ends, as the form offers it; 0: never.
LIFETIMES: Mapping[str, str] = {"30": "in 30 days", "90": "in 90 days", "365": "in a year", "0": "never"}
_COLUMNS = ("name", "roles", "created_ms", "expires_ms")

Facts = Callable[[], Mapping[str, Any]]


def pages(folder: Path, facts: Facts) -> list[Page]:
    """The page. ``facts``: what the recorder says of itself; called in the event loop."""
    views = partial(_view, folder), partial(_table, folder)
    return [Page(PATH, "settings.html", "settings", *views, facts=facts, asks=(TOLD,))]


def routes(folder: Path, facts: Facts, desk: Desk) -> list[Route]:
    """What the page's forms are sent to; for who has the role ``admin``."""
    book = TokenBook(folder)

    async def answer(request: web.Request, done: Mapping[str, Any]) -> web.Response:
        if "problem" not in done:
            return desk.lead_back(PATH, request[IDENTITY], done)
        visit = Visit(PATH, {}, request.query, request[IDENTITY], facts())
        return await desk.draw("settings.html", "settings", visit, lambda: {**_view(folder, visit), **done}, 400)

    async def create(request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        roles = [role for role in Role if role.value in form.getall("role", [])]
        name, lifetime = form.get("name", "").strip(), form.get("expires", "")
        return await answer(request, await asyncio.to_thread(_create, book, name, roles, lifetime))

    async def revoke(request: web.Request) -> web.StreamResponse:
        name = (await read_form(request)).get("name", "").strip()
        return await answer(request, await asyncio.to_thread(_revoke, book, name))

    return [
        Route("POST", f"{PATH}/tokens", create, ADMINS),
        Route("POST", f"{PATH}/tokens/revoke", revoke, ADMINS),
    ]


def _create(book: TokenBook, name: str, roles: list[Role], lifetime: str) -> Mapping[str, Any]:
    """What the page says of it: the token, this once, or what is wrong."""
    if not roles:
        return {"problem": "choose what its holder may do: none of the roles includes another"}
    if lifetime not in LIFETIMES:
        return {"problem": "choose when it ends"}
    now_ms = time.time() * 1000
    expires_ms = now_ms + int(lifetime) * _DAY_MS if int(lifetime) else None
    try:
        token, made = book.create(name, roles, now_ms, expires_ms)
    except Refusal as refusal:
        return {"problem": str(refusal)}
    return {"made": token, "made_name": made.name}


def _revoke(book: TokenBook, name: str) -> Mapping[str, Any]:
    try:
        book.revoke(name)
    except Refusal as refusal:
        return {"problem": str(refusal)}
    return {"revoked": name}


def _tokens(folder: Path) -> tuple[list[Token], str]:
    try:
        return list(TokenBook(folder).read().tokens), ""
    except Refusal as refusal:
        return [], str(refusal)


def _view(folder: Path, visit: Visit) -> dict[str, Any]:
    may_see = visit.identity.has_any(ADMINS)
    tokens, problem = _tokens(folder) if may_see else ([], "")
    return {
        "facts": visit.facts,
        "policy": msgspec.to_builtins(visit.facts["policy"]),
        "tokens": tokens,
        "tokens_problem": problem,
        "may_change": may_see,
        "now_ms": time.time() * 1000,
        "lifetimes": LIFETIMES,
        "all_roles": list(Role),
    }


def _table(folder: Path, visit: Visit) -> Table:
    tokens, _problem = _tokens(folder) if visit.identity.has_any(ADMINS) else ([], "")
    rows = [
        [token.name, " ".join(role.value for role in token.roles), token.created_ms, token.expires_ms]
        for token in tokens
    ]
    return Table("tokens", _COLUMNS, rows)

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

from semantest_recorder.core.access import ADMINS, Role, digest_of
from semantest_recorder.core.tokens import InvalidName, NameTaken, NoSuchToken, Token
from semantest_recorder.pages.page import Desk, Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.server.form import read_form
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import Route
from semantest_recorder.token_file import TokensUnreadable, change_tokens, new_token, read_tokens

PATH = "/settings"
_DAY_MS = 86_400_000.0
#: After how many days a token ends, as the form offers it; 0: never.
LIFETIMES: Mapping[str, str] = {"30": "in 30 days", "90": "in 90 days", "365": "in a year", "0": "never"}
_COLUMNS = ("name", "roles", "created_ms", "expires_ms")

Facts = Callable[[], Mapping[str, Any]]


def pages(folder: Path, facts: Facts) -> list[Page]:
    """The page. ``facts``: what the recorder says of itself; called in the event loop."""
    return [Page(PATH, "settings.html", "settings", partial(_view, folder), partial(_table, folder), facts=facts)]


def routes(folder: Path, facts: Facts, desk: Desk) -> list[Route]:
    """What the page's forms are sent to; for who has the role ``admin``."""

    async def answer(request: web.Request, done: Mapping[str, Any]) -> web.Response:
        visit = Visit(PATH, {}, request.query, request[IDENTITY], facts())
        status = 400 if "problem" in done else 200
        return await desk.draw("settings.html", "settings", visit, lambda: {**_view(folder, visit), **done}, status)

    async def create(request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        roles = [role for role in Role if role.value in form.getall("role", [])]
        name, lifetime = form.get("name", "").strip(), form.get("expires", "")
        return await answer(request, await asyncio.to_thread(_create, folder, name, roles, lifetime))

    async def revoke(request: web.Request) -> web.StreamResponse:
        name = (await read_form(request)).get("name", "").strip()
        return await answer(request, await asyncio.to_thread(_revoke, folder, name))

    return [
        Route("POST", f"{PATH}/tokens", create, ADMINS),
        Route("POST", f"{PATH}/tokens/revoke", revoke, ADMINS),
    ]


def _create(folder: Path, name: str, roles: list[Role], lifetime: str) -> Mapping[str, Any]:
    """What the page says of it: the token, this once, or what is wrong."""
    if not roles:
        return {"problem": "choose what its holder may do: none of the roles includes another"}
    if lifetime not in LIFETIMES:
        return {"problem": "choose when it ends"}
    token, now_ms = new_token(), time.time() * 1000
    expires_ms = now_ms + int(lifetime) * _DAY_MS if int(lifetime) else None
    try:
        change_tokens(folder, lambda table: table.with_token(name, roles, digest_of(token), now_ms, expires_ms))
    except (InvalidName, NameTaken, TokensUnreadable) as error:
        return {"problem": str(error)}
    except OSError as error:
        return {"problem": f"the list of tokens cannot be written: {error.strerror}"}
    return {"made": token, "made_name": name}


def _revoke(folder: Path, name: str) -> Mapping[str, Any]:
    try:
        change_tokens(folder, lambda table: table.without(name))
    except (NoSuchToken, TokensUnreadable) as error:
        return {"problem": str(error.args[0])}
    except OSError as error:
        return {"problem": f"the list of tokens cannot be written: {error.strerror}"}
    return {"revoked": name}


def _tokens(folder: Path) -> tuple[list[Token], str]:
    try:
        return list(read_tokens(folder).tokens), ""
    except TokensUnreadable as error:
        return [], str(error)


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

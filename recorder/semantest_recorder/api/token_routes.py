"""Tokens: given out, listed and revoked from afar, as ``semantest token`` does it here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from semantest_recorder.api.body import read_body
from semantest_recorder.api.changing import change_route
from semantest_recorder.api.documents import NewToken, TokenInfo, TokenList, TokenRequest
from semantest_recorder.core.access import ADMINS
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.tokens import InvalidName, NameTaken, NoSuchToken, Token, TokenTable
from semantest_recorder.server.routes import Doc, Route

TOKENS = "/api/v1/tokens"


class TokenBook(Protocol):
    """Where tokens are kept; its methods block, and raise ``Refusal`` (``STORE_ERROR``) when that cannot be used."""

    def read(self) -> TokenTable:
        """All of them."""

    def change(self, change: Callable[[TokenTable], TokenTable]) -> None:
        """Replaces them in one step; raises what ``change`` raises."""

    def new(self) -> tuple[str, bytes]:
        """A token that nobody has, and its digest."""


def token_routes(book: TokenBook, now_ms: Callable[[], float]) -> list[Route]:
    """The routes; ``now_ms`` gives milliseconds since the epoch."""

    async def listed(_request: web.Request) -> TokenList:
        table = await asyncio.to_thread(book.read)
        return TokenList(tokens=[_info(token, now_ms()) for token in table.tokens])

    async def create(request: web.Request) -> NewToken:
        asked = await read_body(request, TokenRequest)
        return await asyncio.to_thread(_create, book, asked, now_ms())

    async def revoke(request: web.Request) -> None:
        await asyncio.to_thread(_revoke, book, request.match_info["name"])

    path = f"{TOKENS}/{{name}}"
    created = Doc(
        "Give out a token; it is shown this once", NewToken, body=TokenRequest, statuses=(201,), errors=(409, 413, 503)
    )
    return [
        change_route("GET", TOKENS, Doc("Tokens that were given out", TokenList, errors=(503,)), listed, ADMINS),
        change_route("POST", TOKENS, created, create, ADMINS),
        change_route("DELETE", path, Doc("Revoke a token", statuses=(204,), errors=(404, 503)), revoke, ADMINS),
    ]


def _create(book: TokenBook, asked: TokenRequest, now_ms: float) -> NewToken:
    token, digest = book.new()
    expires = None if asked.expires_in_s is None else now_ms + asked.expires_in_s * 1000.0
    made: list[Token] = []

    def add(table: TokenTable) -> TokenTable:
        changed = table.with_token(asked.name, asked.roles, digest, now_ms, expires)
        made[:] = [one for one in changed.tokens if one.name == asked.name]
        return changed

    try:
        book.change(add)
    except InvalidName as error:
        raise Refusal("INVALID_REQUEST", str(error)) from None
    except NameTaken as error:
        raise Refusal("NAME_TAKEN", f"{error}: take another name, or revoke that one first") from None
    info = _info(made[0], now_ms)
    return NewToken(
        name=info.name,
        roles=info.roles,
        created_ms=info.created_ms,
        expires_ms=info.expires_ms,
        expired=False,
        token=token,
    )


def _revoke(book: TokenBook, name: str) -> None:
    try:
        book.change(lambda table: table.without(name))
    except NoSuchToken as error:
        known = f"there are {', '.join(error.args[1])}" if error.args[1] else "there are none"
        raise Refusal("TOKEN_NOT_FOUND", f"{error.args[0]}; {known}") from None


def _info(token: Token, now_ms: float) -> TokenInfo:
    return TokenInfo(
        name=token.name,
        roles=list(token.roles),
        created_ms=token.created_ms,
        expires_ms=token.expires_ms,
        expired=token.is_expired(now_ms),
    )

"""Tokens: given out, listed and revoked from afar, as ``semantest token`` does it here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from aiohttp import web

from semantest_recorder.api.body import read_body
from semantest_recorder.api.changing import change_route
from semantest_recorder.api.documents import NewToken, TokenInfo, TokenList, TokenRequest
from semantest_recorder.core.access import ADMINS, Role
from semantest_recorder.core.tokens import Token, TokenTable
from semantest_recorder.server.routes import Doc, Route

TOKENS = "/api/v1/tokens"


class TokenBook(Protocol):
    """Where tokens are kept; its methods block, and raise ``Refusal`` (``STORE_ERROR``) when that cannot be used."""

    def read(self) -> TokenTable:
        """All of them."""

    def create(self, name: str, roles: Iterable[Role], now_ms: float, expires_ms: float | None) -> tuple[str, Token]:
        """A new token, and what is kept of it. Raises ``Refusal`` for a name that is none, or is taken."""

    def revoke(self, name: str) -> None:
        """The token is none any more. Raises ``Refusal`` when there is none of this name."""


def token_routes(book: TokenBook, now_ms: Callable[[], float]) -> list[Route]:
    """The routes; ``now_ms`` gives milliseconds since the epoch."""

    async def listed(_request: web.Request) -> TokenList:
        table = await asyncio.to_thread(book.read)
        return TokenList(tokens=[_info(token, now_ms()) for token in table.tokens])

    async def create(request: web.Request) -> NewToken:
        asked = await read_body(request, TokenRequest)
        return await asyncio.to_thread(_create, book, asked, now_ms())

    async def revoke(request: web.Request) -> None:
        await asyncio.to_thread(book.revoke, request.match_info["name"])

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
    expires_ms = None if asked.expires_in_s is None else now_ms + asked.expires_in_s * 1000.0
    token, made = book.create(asked.name, asked.roles, now_ms, expires_ms)
    info = _info(made, now_ms)
    return NewToken(
        name=info.name,
        roles=info.roles,
        created_ms=info.created_ms,
        expires_ms=info.expires_ms,
        expired=False,
        token=token,
    )


def _info(token: Token, now_ms: float) -> TokenInfo:
    return TokenInfo(
        name=token.name,
        roles=list(token.roles),
        created_ms=token.created_ms,
        expires_ms=token.expires_ms,
        expired=token.is_expired(now_ms),
    )

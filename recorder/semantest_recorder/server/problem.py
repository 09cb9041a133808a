"""Errors as JSON problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """A response ``{status, title, code, detail}`` of type ``application/problem+json``."""
    body = {"type": "about:blank", "status": status, "title": HTTPStatus(status).phrase, "code": code, "detail": detail}
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
    )

"""Errors as JSON problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

from semantest_recorder.server.request_id import present_request_id


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """A response ``{status, title, code, detail, requestId}`` of type ``application/problem+json``.

    ``requestId`` names the request in the log, and is there where requests have one.
    """
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "status": status, "title": title, "code": code, "detail": detail}
    request_id = present_request_id()
    body |= {"requestId": request_id} if request_id else {}
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
    )

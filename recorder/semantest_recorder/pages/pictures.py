"""``/pictures/{sha256}``: pictures that tests attached, shown by browsers. What is no picture by its bytes is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from aiohttp import web

from semantest_recorder.answers.artifact_files import artifact_file
from semantest_recorder.core.access import READERS
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Route
from semantest_recorder.server.visitors import ErrorPage, as_page

#: How files begin that browsers draw and never run: no SVG, which may hold scripts.
_PNG, _JPEG, _GIF, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a"), b"RIFF"
_HEAD = 16
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Vary": "Authorization, Cookie",  # what a browser kept is not for who signs in there next
}


def picture_type(head: bytes) -> str | None:
    """The media type of a picture that begins so, ``None`` for what is no PNG, JPEG, GIF or WebP."""
    if head.startswith(_PNG):
        return "image/png"
    if head.startswith(_JPEG):
        return "image/jpeg"
    if head.startswith(_GIF):
        return "image/gif"
    return "image/webp" if head.startswith(_RIFF) and head[8:12] == b"WEBP" else None


def picture_of(database: Path, sha256: str) -> tuple[Path, str] | None:
    """The file of an artifact and its media type, if it is there and a picture."""
    path = artifact_file(database, sha256)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            kind = picture_type(file.read(_HEAD))
    except OSError:
        return None
    return None if kind is None else (path, kind)


def picture_route(database: Path, error_page: ErrorPage) -> Route:
    """The route; ``error_page`` draws what a browser shows where there is no picture."""

    async def answer(request: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(picture_of, database, request.match_info["sha256"])
        if found is None:
            said = "there is no picture with this SHA-256"
            return as_page(request, problem(404, "NOT_FOUND", said), said, error_page)
        path, kind = found
        return web.FileResponse(path, headers={**_HEADERS, "Content-Type": kind})

    return Route("GET", "/pictures/{sha256}", answer, READERS)

"""What comes as the body of a request."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from semantest_recorder.core.refusal import Refusal

T = TypeVar("T")


async def read_body(request: web.Request, kind: type[T], *, empty: T | None = None) -> T:
    """The body as ``kind``; ``empty`` for none. Raises ``Refusal``."""
    content = await request.read()
    if not content and empty is not None:
        return empty
    if request.content_type != "application/json":
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "send JSON, with `Content-Type: application/json`")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("INVALID_REQUEST", f"the body: {error}") from None

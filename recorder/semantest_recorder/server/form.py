"""What a form of a page sends, read so that strangers may send it, too."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import ClientPayloadError, web
from multidict import MultiDict

#: No form of ours is longer; one of so many fields is none.
_MOST_BYTES: Final = 16 * 1024
_MOST_FIELDS: Final = 100


async def read_form(request: web.Request) -> MultiDict[str]:
    """The fields, as ``application/x-www-form-urlencoded`` in UTF-8, what is none replaced.

    aiohttp's own ``post`` goes by the charset that the client names, and unpacks compressed parts of
    ``multipart/form-data``. Raises ``HTTPUnsupportedMediaType`` for another type, ``HTTPRequestEntityTooLarge`` for one
    that is too long, ``HTTPBadRequest`` for too many fields and for one that does not come to its end.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(reason="send the form as application/x-www-form-urlencoded")
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise web.HTTPRequestEntityTooLarge(_MOST_BYTES)
    except (ConnectionError, ClientPayloadError, web.RequestPayloadError):
        raise web.HTTPBadRequest(reason="the form did not come to its end; send it again") from None
    try:
        return MultiDict(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        )
    except ValueError:
        raise web.HTTPBadRequest(reason=f"a form has at most {_MOST_FIELDS} fields") from None

"""An answer as it is sent: JSON, its ETag, compressed where that is worth it."""

from __future__ import annotations

import zlib
from hashlib import blake2b
from threading import Lock

from aiohttp import ETag, hdrs, web

#: Less is one packet anyway.
_WORTH_IT = 1400
_LEVEL = 4
#: The window of zlib, in the form of gzip.
_GZIP = zlib.MAX_WBITS + 16


class Encoded:
    """The bytes of an answer; may be sent many times, from several threads."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.etag = blake2b(body, digest_size=12).hexdigest()
        self._packed: bytes | None = None
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.body) + len(self._packed or b"")

    def pack(self) -> None:
        """Compresses it, if that is worth it; takes some milliseconds a megabyte."""
        with self._lock:
            if self._packed is None:
                self._packed = gzipped(self.body)

    def response(self, request: web.Request) -> web.Response:
        """What is sent for a request: nothing but headers to somebody who has it already."""
        headers = {hdrs.CACHE_CONTROL: "private, no-cache", hdrs.VARY: "Accept-Encoding, Authorization, Cookie"}
        response = web.Response(headers=headers)
        response.etag = ETag(self.etag, is_weak=True)
        if any(tag.value in (self.etag, "*") for tag in request.if_none_match or ()):
            response.set_status(304)
            return response
        response.content_type = "application/json"
        if self._packed is not None and takes_gzip(request):
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
            response.body = self._packed
        else:
            response.body = self.body
        return response


def gzipped(body: bytes) -> bytes | None:
    """The body as gzip; ``None`` where that is not worth it."""
    if len(body) <= _WORTH_IT:
        return None
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return packer.compress(body) + packer.flush()


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether the client said that it takes gzip."""
    for told in ",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())).split(","):
        coding, _, parameters = told.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            name, _, weight = parameters.replace(" ", "").partition("=")
            return not (name.lower() == "q" and weight.strip("0.") == "")
    return False

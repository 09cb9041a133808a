"""What pages load: style sheets, scripts and the icon, packaged with us; nothing comes from elsewhere."""

from __future__ import annotations

import hashlib
from mimetypes import guess_type
from pathlib import Path
from typing import NamedTuple

from aiohttp import hdrs, web

from semantest_recorder.api.encoded import gzipped, takes_gzip
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Route
from semantest_recorder.server.visitors import ErrorPage, as_page

_FOLDER = Path(__file__).parent / "static"
_SERVED = (".css", ".js", ".svg")
#: A file never changes under its address.
_FOR_EVER = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    content: bytes
    #: The same, compressed, where that is worth it: once, for strangers may ask, too.
    packed: bytes | None
    checksum: str


class StaticFiles:
    """The packaged files, each under an address that changes with its content."""

    def __init__(self) -> None:
        #: By name (``vendor/htmx.min.js``).
        self._files: dict[str, _File] = {}
        for path in sorted(_FOLDER.rglob("*")):
            if path.suffix in _SERVED:
                content = path.read_bytes()
                checksum = hashlib.sha256(content).hexdigest()[:16]
                self._files[path.relative_to(_FOLDER).as_posix()] = _File(content, gzipped(content), checksum)

    def address(self, name: str) -> str:
        """Where a file is. Raises ``KeyError`` for a name of none."""
        return f"/static/{self._files[name].checksum}/{name}"

    def route(self, error_page: ErrorPage) -> Route:
        """``GET /static/{checksum}/{name}``, open to everybody: a page to sign in with needs them, too.

        ``error_page`` draws what a browser shows of an address that is no file's any more.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            name = request.match_info["name"]
            file = self._files.get(name)
            if file is None or request.match_info["checksum"] != file.checksum:
                said = "there is no such file, or no longer; reload the page that asked for it"
                return as_page(request, problem(404, "NOT_FOUND", said), said, error_page)
            headers = {hdrs.CACHE_CONTROL: _FOR_EVER, hdrs.VARY: hdrs.ACCEPT_ENCODING}
            body = file.content
            if file.packed is not None and takes_gzip(request):
                body, headers[hdrs.CONTENT_ENCODING] = file.packed, "gzip"
            kind = guess_type(name)[0] or "application/octet-stream"
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

        return Route("GET", "/static/{checksum}/{name:.+}", answer, None, is_use=False)

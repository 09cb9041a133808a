"""What pages load: style sheets, scripts and the icon, packaged with us; nothing comes from elsewhere."""

from __future__ import annotations

import hashlib
from mimetypes import guess_type
from pathlib import Path

from aiohttp import web

from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Route

_FOLDER = Path(__file__).parent / "static"
_SERVED = (".css", ".js", ".svg")
#: A file never changes under its address.
_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles:
    """The packaged files, each under an address that changes with its content."""

    def __init__(self) -> None:
        #: By name (``vendor/htmx.min.js``): the content and its checksum.
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(_FOLDER.rglob("*")):
            if path.suffix in _SERVED:
                content = path.read_bytes()
                self._files[path.relative_to(_FOLDER).as_posix()] = content, hashlib.sha256(content).hexdigest()[:16]

    def address(self, name: str) -> str:
        """Where a file is. Raises ``KeyError`` for a name of none."""
        return f"/static/{self._files[name][1]}/{name}"

    def route(self) -> Route:
        """``GET /static/{checksum}/{name}``, open to everybody: a page to sign in with needs them, too."""

        async def answer(request: web.Request) -> web.StreamResponse:
            name = request.match_info["name"]
            content, checksum = self._files.get(name, (b"", ""))
            if not checksum or request.match_info["checksum"] != checksum:
                return problem(404, "NOT_FOUND", "there is no such file; reload the page")
            kind = guess_type(name)[0] or "application/octet-stream"
            response = web.Response(
                body=content, content_type=kind, charset="utf-8", headers={"Cache-Control": _FOR_EVER}
            )
            response.enable_compression()
            return response

        return Route("GET", "/static/{checksum}/{name:.+}", answer, None, is_use=False)

"""``PUT`` and ``GET /api/v1/artifacts/<sha256>``: attachments of tests in, and out as downloads."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import msgspec
from aiohttp import ClientPayloadError, web
from aiohttp.abc import AbstractStreamWriter

from pytest_semantest.protocol.artifacts import ARTIFACTS_PATH, MAX_ARTIFACT, is_sha256
from semantest_recorder.core.access import INGESTERS, READERS
from semantest_recorder.server.documents import StoredArtifact
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import IN_USE, Doc, Route

_CHUNK = 256 * 1024
#: A client that sends nothing for this long is given up.
SILENCE_S = 60.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Whatever is in the file: no browser shows it, runs it or guesses its type; nor in a server of others.
_AS_DOWNLOAD = {
    "X-Content-Type-Options": "nosniff",
    "Content-Type": "application/octet-stream",
    "Content-Disposition": "attachment",  # named as the link or the address says: one here would count before those
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}

_log = logging.getLogger(__name__)


class Incoming(Protocol):
    """One artifact that is being written; all methods but ``abort`` block and raise ``OSError``."""

    def write(self, chunk: bytes) -> None:
        """Takes the next bytes."""

    def commit(self) -> bool:
        """Keeps it for good; false when its hash is another."""

    def abort(self) -> None:
        """Lets go of it."""


class Artifacts(Protocol):
    """Where artifacts are kept; its methods block."""

    def find(self, sha256: str) -> Path | None:
        """The file of an artifact."""

    def renew(self, sha256: str) -> bool:
        """Whether an artifact is there; it then counts as written now."""

    def begin(self, sha256: str) -> Incoming:
        """Begins to take one in. Raises ``OSError``."""


class _Download(web.FileResponse):
    """A file, sent behind the handler that answers with it; meanwhile the recorder is in use."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends all of it."""
        in_use = request.app.get(IN_USE, nullcontext) if isinstance(request, web.Request) else nullcontext
        with in_use():
            return await super().prepare(request)


def artifact_routes(artifacts: Artifacts, silence_s: float = SILENCE_S) -> list[Route]:
    """The two routes over ``artifacts``; a client that sends nothing for ``silence_s`` is given up."""

    async def put(request: web.Request) -> web.StreamResponse:
        sha256 = request.match_info["sha256"]
        if not is_sha256(sha256):
            return _no_hash()
        if (request.content_length or 0) > MAX_ARTIFACT:
            return _too_large()
        try:
            return await _take_in(request, artifacts, sha256, silence_s)
        except (TimeoutError, ConnectionError, ClientPayloadError, web.RequestPayloadError):
            return problem(408, "INVALID_REQUEST", "the artifact did not come to its end; send it again")
        except OSError as error:
            _log.error("an artifact cannot be stored: %s", error)
            if error.errno in _NO_ROOM:
                return problem(507, "STORE_FULL", "no room for the artifact; it can be sent again")
            return problem(503, "STORE_ERROR", "the artifact cannot be stored; it can be sent again")

    async def get(request: web.Request) -> web.StreamResponse:
        sha256 = request.match_info["sha256"]
        if not is_sha256(sha256):
            return _no_hash()
        path = await asyncio.to_thread(artifacts.find, sha256)
        if path is None:
            return problem(404, "NOT_FOUND", "no such artifact")
        return _Download(path, headers=_AS_DOWNLOAD)

    path = f"{ARTIFACTS_PATH}{{sha256}}"
    taken = Doc("Store an attachment of a test", StoredArtifact, body=bytes, statuses=(200, 201))
    given = Doc("Download an attachment", bytes, statuses=(200, 206, 304), media="application/octet-stream")
    return [
        Route("PUT", path, put, INGESTERS, doc=taken._replace(errors=(408, 413, 422, 503, 507))),
        Route("GET", path, get, READERS, doc=given._replace(errors=(404, 412, 416))),
    ]


async def _take_in(request: web.Request, artifacts: Artifacts, sha256: str, silence_s: float) -> web.StreamResponse:
    """Stores the body; one that is there already is read, compared with its name as any other, and left."""
    known = await asyncio.to_thread(artifacts.renew, sha256)
    incoming = None if known else await asyncio.to_thread(artifacts.begin, sha256)
    size, digest = 0, hashlib.sha256()
    try:
        while chunk := await _read(request, silence_s):
            size += len(chunk)
            if size > MAX_ARTIFACT:
                return _too_large()
            await asyncio.to_thread(digest.update if incoming is None else incoming.write, chunk)
        if incoming is None:
            is_it = digest.hexdigest() == sha256
        else:
            is_it = await asyncio.to_thread(incoming.commit)
        if not is_it:
            return problem(422, "HASH_MISMATCH", "the content has another SHA-256 than its address says")
    finally:
        if incoming is not None:
            incoming.abort()
    body = msgspec.json.encode({"sha256": sha256, "size": size})
    return web.Response(body=body, status=200 if known else 201, content_type="application/json")


async def _read(request: web.Request, silence_s: float) -> bytes:
    async with asyncio.timeout(silence_s):
        return await request.content.read(_CHUNK)


def _no_hash() -> web.Response:
    return problem(400, "INVALID_REQUEST", "an artifact is named by its SHA-256: 64 lower-case hex digits")


def _too_large() -> web.Response:
    return problem(413, "ARTIFACT_TOO_LARGE", f"an artifact has at most {MAX_ARTIFACT} bytes")

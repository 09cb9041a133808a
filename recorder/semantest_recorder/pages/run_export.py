"""``GET /runs/{run}/export?format=...``: a run as a file for other programs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from aiohttp import hdrs, web

from semantest_recorder.answers.run_export import write_export
from semantest_recorder.answers.runs import one_run
from semantest_recorder.core.access import READERS
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.pages.page import Desk
from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import IN_USE, Route
from semantest_recorder.store.errors import StoreError

_CHUNK: Final = 256 * 1024
#: Whatever is in the file: no browser shows it or runs what is in it.
_AS_DOWNLOAD: Final = {
    hdrs.CONTENT_TYPE: "application/octet-stream",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def export_route(database: Path, desk: Desk) -> Route:
    """The route. A file is made whole before it is sent, one at a time: a reader who is slow holds up nobody."""
    threads = DaemonThreads(1, "semantest-exports")

    async def answer(request: web.Request) -> web.StreamResponse:
        loop, name = asyncio.get_running_loop(), request.query.get("format", "")
        if name not in FORMATS:
            return desk.error_page(request, 400, f"format={name[:40]} is not one of {', '.join(FORMATS)}")
        with request.app.get(IN_USE, nullcontext)():
            try:
                run_id, file = await loop.run_in_executor(threads, _made, database, request.match_info["run"], name)
            except StoreError as error:
                return desk.refusal(request[IDENTITY], error, request.path)
            except OSError as error:
                return desk.error_page(request, 503, f"no room to make the file: {error.strerror}")
            with file:
                return await _sent(request, file, f"{_UNSAFE.sub('-', run_id)[:100]}{FORMATS[name].suffix}")

    return Route("GET", "/runs/{run}/export", answer, READERS, is_page=True)


def _made(database: Path, name: str, format_name: str) -> tuple[str, BinaryIO]:
    """The run's id, and the file at its begin. Raises ``OSError`` and what ``Reader`` raises."""
    run_id = one_run(database, name).id
    file: BinaryIO = TemporaryFile(dir=database.parent)  # noqa: SIM115 - whoever sends it closes it; /tmp may be memory
    try:
        write_export(database, run_id, format_name, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return run_id, file


async def _sent(request: web.Request, file: BinaryIO, name: str) -> web.StreamResponse:
    disposition = f'attachment; filename="{name}"'
    response = web.StreamResponse(headers={**_AS_DOWNLOAD, hdrs.CONTENT_DISPOSITION: disposition})
    response.content_length = await asyncio.to_thread(_size, file)
    await response.prepare(request)
    read: Callable[[int], bytes] = file.read
    while chunk := await asyncio.to_thread(read, _CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response


def _size(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size

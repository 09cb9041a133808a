"""``GET /api/v1/test-snapshot``: what earlier runs tell of each test, for a pytest elsewhere that selects by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from pytest_semantest.protocol.layout import TEST_SNAPSHOT
from pytest_semantest.protocol.pinned_snapshot import pinned_snapshot
from pytest_semantest.protocol.snapshot import SNAPSHOT_PATH
from semantest_recorder.core.access import READERS
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Route


def snapshot_route(directory: Path) -> Route:
    """The route; the file in ``directory`` is written by the recorder after each run.

    ``?run=ID`` gives all shards of a run the same one, empty when the first of them had none.
    """

    def read(run_id: str) -> bytes:
        return Path(pinned_snapshot(str(directory), run_id) if run_id else directory / TEST_SNAPSHOT).read_bytes()

    async def snapshot(request: web.Request) -> web.StreamResponse:
        try:
            content = await asyncio.to_thread(read, request.query.get("run", ""))
        except FileNotFoundError:
            return problem(404, "NOT_FOUND", "there is no snapshot of the tests yet: no run is closed")
        except OSError:
            return problem(503, "STORE_ERROR", "the snapshot of the tests cannot be read")
        return web.Response(body=content, content_type="application/json")

    return Route("GET", SNAPSHOT_PATH, snapshot, READERS)

"""``GET /api/v1/test-snapshot``: what earlier runs tell of each test, for a pytest elsewhere that selects by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from pytest_semantest.protocol.layout import TEST_SNAPSHOT
from pytest_semantest.protocol.pinned_snapshot import pin_of, pinned_snapshot
from pytest_semantest.protocol.snapshot import SNAPSHOT_PATH
from semantest_recorder.core.access import INGESTERS, READERS
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.query import InvalidQuery, read_query
from semantest_recorder.server.routes import Doc, Route


class SnapshotQuery(msgspec.Struct):
    """For which run: all its shards get the same one."""

    run: str = ""


def snapshot_route(directory: Path, refresh: Callable[[], None] = lambda: None) -> Route:
    """The route; the file in ``directory`` is written by the recorder after each run, or by ``refresh``.

    ``?run=ID`` gives all shards of a run the same one, empty when the first of them had none. Only who may record that
    run pins it: pins are few, and a reader could push out all others. ``refresh`` is called in a thread and raises
    ``Refusal``.
    """

    def read(run_id: str, *, pins: bool) -> bytes:
        refresh()
        if run_id and pins:
            return Path(pinned_snapshot(str(directory), run_id)).read_bytes()
        pin = Path(pin_of(str(directory), run_id))
        return (pin if run_id and pin.exists() else directory / TEST_SNAPSHOT).read_bytes()

    async def snapshot(request: web.Request) -> web.StreamResponse:
        pins = request[IDENTITY].has_any(INGESTERS)
        try:
            query = read_query(SnapshotQuery, request.query.items())
            content = await asyncio.to_thread(read, query.run, pins=pins)
        except InvalidQuery as error:
            return problem(400, "INVALID_REQUEST", str(error))
        except FileNotFoundError:
            return problem(404, "NOT_FOUND", "there is no snapshot of the tests yet: no run is closed")
        except OSError:
            return problem(503, "STORE_ERROR", "the snapshot of the tests cannot be read")
        except Refusal as refusal:
            return problem(503, refusal.code, str(refusal))
        kind = "application/json" if content else "application/octet-stream"  # an empty one is no JSON
        return web.Response(body=content, content_type=kind)

    doc = Doc("What earlier runs tell of each test, for selection", bytes, SnapshotQuery, media="*/*")
    return Route("GET", SNAPSHOT_PATH, snapshot, READERS, doc=doc._replace(errors=(404, 503)))

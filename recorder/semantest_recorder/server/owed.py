"""``GET /api/v1/owed``: what runs still owe, for a pytest elsewhere that runs only that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from aiohttp import web

from pytest_semantest.protocol.owed import OWED_PATH, OWED_RUNS
from semantest_recorder.core.access import READERS
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.rerun_chain import Owed
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.query import InvalidQuery, read_query
from semantest_recorder.server.routes import Doc, Route
from semantest_recorder.server.turns import Turns

_AT_ONCE = 2
_STATUS = {"RUN_NOT_FOUND": 404, "INVALID_REQUEST": 400, "STORE_ERROR": 503}


class OwedQuery(msgspec.Struct):
    """Which runs: ids, unique beginnings or `last`."""

    run: Annotated[list[str], msgspec.Meta(min_length=1, max_length=OWED_RUNS)]


def owed_route(owed: Callable[[Sequence[str]], Any]) -> Route:
    """The route, ``?run=ID`` for each run; ``owed`` is called in a thread and raises ``Refusal``.

    Threads are few, and attachments and metrics need them, too: so many answers are looked up at a time, in turns.
    """
    turns = Turns(_AT_ONCE)

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            names = read_query(OwedQuery, request.query.items()).run
        except InvalidQuery as error:
            how = f"name the runs with ?run=ID, from 1 to {OWED_RUNS} of them"
            return problem(400, "INVALID_REQUEST", f"{error}; {how}")
        try:
            async with turns.turn(request[IDENTITY].name):
                found = await asyncio.to_thread(owed, names)
        except Refusal as refusal:
            return problem(_STATUS[refusal.code], refusal.code, str(refusal))
        return web.Response(body=msgspec.json.encode(found), content_type="application/json")

    doc = Doc("What runs still owe: tests to run again", Owed, OwedQuery, errors=(404, 503))
    return Route("GET", OWED_PATH, answer, READERS, doc=doc)

"""Routes that answer questions: parameters in, JSON out, with chosen fields, ETag and compression."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import hdrs, web

from semantest_recorder.answers.kept import Kept
from semantest_recorder.answers.refusal import refusal_of
from semantest_recorder.api.desk import Desk
from semantest_recorder.api.encoded import Encoded, takes_gzip
from semantest_recorder.api.fields import check_fields, with_fields
from semantest_recorder.api.problems import problem_of
from semantest_recorder.api.queries import Query
from semantest_recorder.core.access import READERS, Role
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.problem import problem
from semantest_recorder.server.query import InvalidQuery, read_query
from semantest_recorder.server.routes import Doc, Route

T = TypeVar("T")
#: What may be kept of answers that took long, as they were first sent: packed or not.
_KEPT_BYTES = 48 * 1024 * 1024


class Asked(NamedTuple):
    """What was asked: the parts of the path by name, and the query as the route's struct."""

    names: Mapping[str, str]
    query: Any


#: Gives the answer, in a thread; what it raises is told as ``answers.refusal.refusal_of`` says.
Find = Callable[[Asked], msgspec.Struct]
#: What changes with the answer, in a thread.
StampOf = Callable[[Asked], Hashable]


class Reading:
    """Makes routes that read; all of them share a desk and what is kept. For one loop."""

    def __init__(self) -> None:
        self.desk = Desk()
        self._kept = Kept[Encoded](_KEPT_BYTES, len)

    def route(
        self,
        path: str,
        doc: Doc,
        find: Find,
        *,
        roles: frozenset[Role] = READERS,
        stamp: StampOf | None = None,
    ) -> Route:
        """The route; with ``stamp`` its answers are dear: they are kept until the stamp changes."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                asked = _asked(request, doc)
                return (await self._encoded(request, path, doc, asked, find, stamp)).response(request)
            except InvalidQuery as error:
                return problem(400, "INVALID_REQUEST", str(error))
            except Refusal as refusal:
                return problem_of(refusal)

        documented = doc._replace(
            query=doc.query or Query, statuses=(*doc.statuses, 304), errors=(*doc.errors, 429, 503)
        )
        return Route(hdrs.METH_GET, path, answer, roles, doc=documented)

    async def _encoded(
        self, request: web.Request, path: str, doc: Doc, asked: Asked, find: Find, stamp: StampOf | None
    ) -> Encoded:
        holder, packs = request[IDENTITY].name, takes_gzip(request)

        def found() -> Encoded:
            return _packed(Encoded(_json(find(asked), doc, asked)), packs=packs)

        if stamp is None:
            return await self.desk.ask(holder, _told(found))
        question = (path, tuple(asked.names.values()), repr(asked.query))

        def kept() -> Encoded | None:
            known = self._kept.known(question, stamp(asked))
            return None if known is None else _packed(known, packs=packs)

        def found_and_kept() -> Encoded:
            # The stamp comes before the answer: what is stored meanwhile makes that old.
            return _packed(self._kept.get(question, stamp(asked), found), packs=packs)

        known = await self.desk.ask(holder, _told(kept))
        return known if known is not None else await self.desk.ask(holder, _told(found_and_kept), dear=True)


def _asked(request: web.Request, doc: Doc) -> Asked:
    """Raises ``InvalidQuery``."""
    query = read_query(doc.query or Query, request.query.items())
    chosen = getattr(query, "fields", ())
    if chosen and doc.entries is not None:
        check_fields(doc.answer, doc.entries, chosen)
    return Asked(dict(request.match_info), query)


def _json(answer: msgspec.Struct, doc: Doc, asked: Asked) -> bytes:
    chosen = getattr(asked.query, "fields", ())
    return msgspec.json.encode(with_fields(answer, doc.entries, chosen) if chosen and doc.entries else answer)


def _packed(answer: Encoded, *, packs: bool) -> Encoded:
    if packs:
        answer.pack()
    return answer


def _told(find: Callable[[], T]) -> Callable[[], T]:
    """``find``, whose errors become refusals."""

    def told() -> T:
        try:
            return find()
        except Refusal:
            raise
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            raise refusal from error

    return told

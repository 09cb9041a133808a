"""A page: an address, a template, and a view that finds what the template shows."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from time import monotonic
from typing import Any, Final, NamedTuple

from aiohttp import hdrs, web
from multidict import MultiMapping

from semantest_recorder.answers.errors import NoSuchTest, SeveralTests, Unanswered
from semantest_recorder.answers.kept import Kept
from semantest_recorder.core.access import READERS, Identity, Role
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.pages.drawing import Drawing, html, standalone
from semantest_recorder.pages.table import Table, as_csv, as_json
from semantest_recorder.pages.told_once import ToldOnce
from semantest_recorder.pages.words import address_of, cut, run_address
from semantest_recorder.server.guard import IDENTITY
from semantest_recorder.server.routes import Route
from semantest_recorder.server.visitors import UNKNOWN_HOST
from semantest_recorder.store.errors import (
    AmbiguousRun,
    BranchNotFound,
    NoDatabase,
    RunNotFound,
    StoreError,
)

#: Pages that are drawn at a time, and of one visitor; others wait.
_THREADS, _THREADS_OF_ONE = 3, 2
_KEPT_CHARACTERS = 16 * 1024 * 1024
_POLLED_S = 2.0
#: How long the dashboard is said to be visited after somebody asked for a page, in seconds; and how many pages that
#: take long are made again after a run for who asks for them again.
_VISITED_S, _LATELY = 3600.0, 8
#: The parameter with which scripts ask for a page again and again; every page knows it.
POLL: Final = "poll"
#: The parameter with which a browser comes back that sent a form: what the page says of that, once.
TOLD: Final = "told"
#: So many are told of what could be meant.
_NEAR = 10


class NotThere(Exception):  # noqa: N818 - says what it is about
    """There is no such thing to show; the text says what there is instead."""


class Misunderstood(Exception):  # noqa: N818 - says what it is about
    """The address asks for something that makes no sense; the text says what would."""


_MISSING = (NotThere, NoDatabase, RunNotFound, AmbiguousRun, BranchNotFound, Unanswered)


class Near(NamedTuple):
    """What could be meant by a name that is none."""

    name: str
    address: str


@dataclass(frozen=True)
class Visit:
    """Somebody looks at a page: its address taken apart, who it is, and the ``facts`` of the page.

    ``path`` as it stands in the address, quoted.
    """

    path: str
    names: Mapping[str, str]
    query: MultiMapping[str]
    identity: Identity
    facts: Mapping[str, Any] = field(default_factory=dict)

    def asked(self, name: str, usual: str = "") -> str:
        """A parameter of the address."""
        return self.query.get(name, usual).strip()

    def number(self, name: str, usual: int, most: int) -> int:
        """A whole number from 1 to ``most``. Raises ``Misunderstood`` for another one."""
        text = self.asked(name) or str(usual)
        if not (text.isascii() and text.isdigit() and 1 <= len(text) < 10 and 1 <= int(text) <= most):
            raise Misunderstood(f"{name}={text[:40]} is no number from 1 to {most}")
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...], usual: str = "") -> str:
        """One of ``choices``. Raises ``Misunderstood`` for another value."""
        text = self.asked(name) or usual
        if text not in choices:
            raise Misunderstood(f"{name}={text[:40]} is not one of {', '.join(filter(None, choices))}")
        return text

    def same(self, **changed: object) -> str:
        """The address of this page with other parameters; ``None`` or an empty text leaves one out.

        ``POLL`` and ``TOLD`` are left out unless they are given: links are for people, and for later.
        """
        kept: dict[str, object] = {name: self.query.getall(name) for name in self.query if name not in (POLL, TOLD)}
        return address_of(self.path, {**kept, **changed})


View = Callable[[Visit], Mapping[str, Any]]


class Page(NamedTuple):
    """One page. ``path`` as routes have it; ``section``: see ``Entry.name``.

    ``view`` is called in a thread, and gives the values of the template; it may raise ``NotThere`` and
    ``Misunderstood``, and what ``answers`` raises. ``table``, if there is one, gives the whole of the page's table for
    ``?format=csv`` and ``json``, called in a thread as well. ``facts`` is asked before, in the event loop. ``stamp``
    changes with whatever a page is made of that takes long: it is made again only then, and each time for ``None``.
    ``warmed``: of many runs, and made again as soon as one has ended. ``asks``: the names of the parameters that its
    address may have.
    """

    path: str
    template: str
    section: str
    view: View
    table: Callable[[Visit], Table] | None = None
    roles: frozenset[Role] = READERS
    facts: Callable[[], Mapping[str, Any]] = dict
    stamp: Callable[[Visit], Hashable | None] | None = None
    warmed: bool = False
    asks: tuple[str, ...] = ()


def polled(parameter: str, clock: Callable[[], float] = monotonic) -> Callable[[Visit], Hashable | None]:
    """A stamp for pages that scripts ask for again and again, with this parameter.

    Of these one is made in two seconds, however many look at it; people always get a new one.
    """

    def stamp(visit: Visit) -> Hashable | None:
        return int(clock() / _POLLED_S) if parameter in visit.query else None

    return stamp


class Desk:
    """Where pages are made, in threads: a page that takes its time holds up no events."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self._threads = DaemonThreads(_THREADS, "semantest-pages")
        self._kept = Kept[str](_KEPT_CHARACTERS, len)
        self._told = ToldOnce()
        #: By the name of a visitor: whoever asks for much that takes long leaves others a thread.
        self._places: dict[str, asyncio.Semaphore] = {}
        self._asked_s = -math.inf
        self._lately: OrderedDict[Hashable, tuple[float, Page, Visit]] = OrderedDict()

    def route(self, page: Page) -> Route:
        """The route of a page."""

        async def answer(request: web.Request) -> web.StreamResponse:
            visit = Visit(request.rel_url.raw_path, request.match_info, request.query, request[IDENTITY], page.facts())
            self._note(page, visit)
            return await self._in_thread(visit, lambda: self._made(page, visit))

        return Route("GET", page.path, answer, page.roles, is_page=True)

    async def draw(
        self, template: str, section: str, visit: Visit, values: Callable[[], Mapping[str, Any]], status: int = 200
    ) -> web.Response:
        """The answer to a form that is refused: the page again, with other values."""

        def make() -> web.Response:
            return html(self.drawing.draw(template, visit.identity, section, visit=visit, **values()), status)

        return await self._in_thread(visit, make)

    def lead_back(self, path: str, identity: Identity, values: Mapping[str, Any]) -> web.Response:
        """The answer to a form that was carried out: to the page at ``path``, which has these ``values``, too, once.

        So a reload sends nothing again. The page has ``TOLD`` among its parameters.
        """
        key = self._told.leave(identity, values)
        return web.Response(status=303, headers={hdrs.LOCATION: address_of(path, {TOLD: key})})

    async def _in_thread(self, visit: Visit, make: Callable[[], web.Response]) -> web.Response:
        async with self._places.setdefault(visit.identity.name, asyncio.Semaphore(_THREADS_OF_ONE)):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, visit, make)

    def is_visited(self) -> bool:
        """Whether somebody asked for a page not long ago."""
        return monotonic() - self._asked_s < _VISITED_S

    def lately(self) -> list[Callable[[], object]]:
        """Calls, for threads, that make the pages to be warmed which were asked for not long ago."""
        since_s = monotonic() - _VISITED_S
        return [partial(self._drawn, page, visit) for at_s, page, visit in self._lately.values() if at_s > since_s]

    def _note(self, page: Page, visit: Visit) -> None:
        self._asked_s = monotonic()
        if page.warmed and not visit.asked("format"):
            question = _question(visit)
            self._lately[question] = self._asked_s, page, visit
            self._lately.move_to_end(question)
            while len(self._lately) > _LATELY:
                self._lately.popitem(last=False)

    def close(self) -> None:
        """No page is waited for any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def refusal(self, identity: Identity | None, error: Exception, path: str) -> web.Response:
        """The page at ``path`` says what ``error`` says: 404 for what is not there, and what could be meant."""
        if isinstance(error, Misunderstood):
            return self._error(identity, 400, str(error))
        if isinstance(error, _MISSING):
            return self._error(identity, 404, *_what_is_missing(error, path))
        return self._error(identity, 503, str(error))

    def error_page(self, request: web.Request, status: int, detail: str) -> web.Response:
        """A page that says what is wrong, and where to go from there."""
        if UNKNOWN_HOST in request:
            return standalone(self.drawing.draw("unknown_host.html", None, "", detail=detail), status)
        return self._error(request.get(IDENTITY), status, detail)

    def _answer(self, visit: Visit, make: Callable[[], web.Response]) -> web.Response:
        try:
            return make()
        except (NotThere, Misunderstood, Unanswered, StoreError) as error:
            return self.refusal(visit.identity, error, visit.path)

    def _made(self, page: Page, visit: Visit) -> web.Response:
        known = (*page.asks, "format") if page.table is not None else page.asks
        for name in visit.query:
            if name not in known and name != POLL:
                typed = [one for one in known if one != TOLD]
                raise Misunderstood(f"this page has no parameter {name[:40]}{_instead_of(name, typed)}")
        return self._export(page, visit) or html(self._drawn(page, visit))

    def _drawn(self, page: Page, visit: Visit) -> str:
        def make() -> str:
            told = self._told.take(visit.identity, visit.asked(TOLD)) if TOLD in page.asks else {}
            values = {**page.view(visit), **told}
            return self.drawing.draw(page.template, visit.identity, page.section, visit=visit, **values)

        stamp = page.stamp(visit) if page.stamp is not None else None
        if stamp is None:
            return make()
        return self._kept.get(_question(visit), stamp, make)

    @staticmethod
    def _export(page: Page, visit: Visit) -> web.Response | None:
        kind = visit.asked("format")
        if not kind:
            return None
        if page.table is None or kind not in ("csv", "json"):
            raise Misunderstood(f"format={kind[:40]} is not one of csv, json")
        table = page.table(visit)
        name = f"{table.name}.{kind}"
        body, content_type = (as_csv(table), "text/csv") if kind == "csv" else (as_json(table), "application/json")
        disposition = f'attachment; filename="{name}"'
        return web.Response(
            body=body, content_type=content_type, charset="utf-8", headers={hdrs.CONTENT_DISPOSITION: disposition}
        )

    def _error(self, identity: Identity | None, status: int, detail: str, near: Sequence[Near] = ()) -> web.Response:
        return html(self.drawing.draw("error.html", identity, "", status=status, detail=detail, near=near), status)


def _question(visit: Visit) -> Hashable:
    """By what a page is kept: what it shows may depend on who looks."""
    return (visit.path, *visit.query.items(), visit.identity.name, visit.identity.roles)


def _what_is_missing(error: Exception, path: str) -> tuple[str, list[Near]]:
    """What a page says of what is not there, and what could be meant: links, not commands as in a terminal."""
    if isinstance(error, NoDatabase) or (isinstance(error, RunNotFound) and error.name == "last"):
        return "Nothing was recorded yet. Run `pytest --semantest`, and it appears here.", []
    if isinstance(error, RunNotFound):
        return f"There is no run {cut(error.name)!r}.", [Near(name, run_address(name)) for name in error.nearest]
    if isinstance(error, AmbiguousRun):
        told = f"The ids of {len(error.matches):,} runs begin with {error.name!r}."
        return told, [Near(name, run_address(name)) for name in error.matches[:_NEAR]]
    if isinstance(error, BranchNotFound) and error.nearest:
        return f"There is no run of branch {cut(error.name)!r}.", [
            Near(name, address_of("/runs", {"branch": name})) for name in error.nearest
        ]
    if isinstance(error, NoSuchTest):
        return f"There is no test {cut(error.name)!r}.", [
            Near(test, address_of(path, {"id": test})) for test in error.nearest
        ]
    if isinstance(error, SeveralTests):
        near = [Near(test, address_of(path, {"id": test})) for test in error.matches[:_NEAR]]
        return f"{len(error.matches):,} tests have that in their name.", near
    return str(error), []


def _instead_of(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name[:40], known, 1)
    if near:
        return f": did you mean {near[0]}?"
    return f"; it has {', '.join(known)}" if known else ""

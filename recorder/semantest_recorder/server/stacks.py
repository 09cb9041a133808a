"""``POST /api/v1/runs/{run}/workers/{worker}/stack``: what a process of a run is doing, by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import web

from pytest_semantest.protocol.events import WORKER_STACK
from semantest_recorder.core.access import OPERATORS
from semantest_recorder.core.active_run import ActiveRun
from semantest_recorder.core.batch import Committed
from semantest_recorder.core.stack_dump import StackDump, stack_dump
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.problem import problem
from semantest_recorder.server.routes import Doc, Route

STACK_PATH: Final = "/api/v1/runs/{run}/workers/{worker}/stack"
#: A process has three seconds, and what it says has to come here and be committed.
ANSWER_S: Final = 8.0
#: Who may wait for an answer at a time.
_WAITING_MAX: Final = 1000


class Stack(msgspec.Struct, rename="camel"):
    """The answer, see ``StackDump``."""

    run: str
    time_ms: float
    worker: str
    text: str
    problem: str
    test_id: str | None
    attempt: int | None
    source: str


class StackRequests:
    """Who waits for the stacks of which process. Lives in the event loop; ``note`` is called for every commit."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], list[asyncio.Future[StackDump]]] = {}

    def note(self, verdict: Committed) -> None:
        """Something was committed; it may be what somebody waits for."""
        if not self._waiting:
            return
        for event in verdict.fresh:
            dump = stack_dump(event) if event.type == WORKER_STACK else None
            if dump is not None:
                for name in (dump.worker, dump.source):
                    for waiting in self._waiting.pop((verdict.run_id, name), ()):
                        if not waiting.done():
                            waiting.set_result(dump)

    async def ask(self, run_id: str, worker: str, ask: Callable[[], int]) -> StackDump | None:
        """The answer; ``None`` when ``ask`` says that it asked nobody. Raises ``TimeoutError``."""
        waiting = asyncio.get_running_loop().create_future()
        others = self._waiting.setdefault((run_id, worker), [])
        others.append(waiting)
        try:
            if not ask():
                return None
            async with asyncio.timeout(ANSWER_S):
                found: StackDump = await waiting
                return found
        finally:
            if waiting in others:
                others.remove(waiting)
            if not others and self._waiting.get((run_id, worker)) is others:
                del self._waiting[run_id, worker]

    @property
    def is_full(self) -> bool:
        """Whether nobody else may wait."""
        return sum(map(len, self._waiting.values())) >= _WAITING_MAX


def _meant(hub: Hub, name: str) -> ActiveRun | None:
    """The run that goes on with this id, the only one that begins so, or for ``last`` the one that started last."""
    if name == "last":
        return max(hub.runs, key=lambda run: run.started_ms, default=None)
    found = hub.runs.get(name)
    if found is not None or not name:
        return found
    starting = [run for run in hub.runs if run.run_id.startswith(name)]
    return starting[0] if len(starting) == 1 else None


def stack_route(hub: Hub, requests: StackRequests) -> Route:
    """The route. The answer is also an event of the run, ``worker/stack``, that is kept and told to subscribers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        name, worker = request.match_info["run"], request.match_info["worker"]
        run = _meant(hub, name)
        if run is None:
            return problem(404, "RUN_NOT_FOUND", f"no run {name!r} goes on, or several begin so")
        run_id = run.run_id
        if run.is_clients:
            return problem(409, "STACK_UNKNOWN", "a client runs these tests itself: its processes are not known here")
        if requests.is_full:
            return problem(503, "STACK_UNKNOWN", "too many wait for such an answer already: ask again later")
        try:
            dump = await requests.ask(run_id, worker, lambda: hub.attendance.ask_stack(run_id, worker, hub.now_ms()))
        except TimeoutError:
            detail = f"no answer within {ANSWER_S:g} s: is there a process {worker!r} in this run?"
            return problem(504, "STACK_UNKNOWN", detail)
        if dump is None:
            return problem(
                409, "STACK_UNKNOWN", "nobody who sends this run is connected now: its processes cannot be asked"
            )
        return web.Response(body=msgspec.json.encode(Stack(run_id, *dump)), content_type="application/json")

    doc = Doc("See what a process of a run is doing", Stack, errors=(404, 409, 503, 504))
    return Route("POST", STACK_PATH, answer, OPERATORS, doc=doc)

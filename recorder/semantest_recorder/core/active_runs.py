"""Runs that are not over, and what a client's word about one of them means: which events are written, and where (pure).

The recorder itself writes what clients say one by one, into sources whose session starts with ``live/``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from pytest_semantest.protocol import events as types
from semantest_recorder.core.active_run import GRACE_MS, ActiveRun, batch_beside
from semantest_recorder.core.batch import LIVE, Batch, Committed, RawEvent
from semantest_recorder.core.own_events import (
    LEASE_MS,
    broken_off,
    deaths,
    event_of,
    json_of,
    living,
    silent,
)
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.rows import RunRow
from semantest_recorder.core.run_config import RUN_ID, RunConfig, config_of

#: For how long an implicit run waits for a client that has gone, in milliseconds.
IMPLICIT_GRACE_MS: Final = 30_000.0
#: How many runs of clients may go on, how many of them one token other than the owner's may have begun, and how many
#: one client by events alone: a client that makes up an id for each event is told so.
CLIENT_RUNS_MAX: Final = 10_000
HOLDER_RUNS_MAX: Final = 1000
IMPLICIT_RUNS_MAX: Final = 100
OPEN_STATES: Final = frozenset({"pending", "running"})
_LIFECYCLE: Final = frozenset({types.RUN_START, types.RUN_PLAN, types.RUN_END, types.RUN_CANCEL})
_ENDS: Final = frozenset({types.RUN_END, types.WORKER_END})
_FAILED: Final = frozenset({"failed"})
#: What pytest's own processes and shippers say of themselves.
_OF_JOURNALS: Final = frozenset(
    {
        *(types.WORKER_START, types.WORKER_END, types.WORKER_CRASH, types.SHIPPER_START, types.RUN_CONTEXT),
        types.RUN_EXPECT,
        *(types.COLLECT_ERROR, types.JOURNAL_GAP, "client/start", "event/dropped"),
    }
)
_RUN_ID: Final = re.compile(RUN_ID)


class Written(NamedTuple):
    """What an event of a client becomes: ``batch`` holds it, ``after`` what the recorder adds for everybody.

    ``beside``: the run of pytest, or one that is over, beside which it was said.
    """

    batch: Batch
    after: list[Batch]
    beside: str | None = None


def as_asked(_payload: Mapping[str, Any], failures: int, retries: int) -> bool:
    """A failed test is run again as often as its run asks for."""
    return failures <= retries


class ActiveRuns:
    """The runs that are not over. ``exists`` tells whether the database has a run of this id."""

    def __init__(self, exists: Callable[[str], bool]) -> None:
        #: Whether a client's test is to be run again: what its failed attempt said, how many failed, how many retries
        #: its run asked for.
        self.worth_retrying: Callable[[Mapping[str, Any], int, int], bool] = as_asked
        self._exists = exists
        self._runs: dict[str, ActiveRun] = {}

    def load(
        self,
        row: RunRow,
        now_ms: float,
        *,
        cancelling: str | None = None,
        processes: Iterable[tuple[str, str]] = (),
        attempts: Iterable[tuple[str, int, str | None]] = (),
    ) -> None:
        """Takes a run of the database that is not over.

        ``cancelling``: why it is being cancelled; ``processes``: session and worker of those that have not ended;
        ``attempts``: test, number and outcome of each attempt, for a run of a client.
        """
        told_here = (row.facts_source or "").startswith(LIVE)  # a shipper may say what it likes
        origin = "client" if told_here and row.facts.get("origin") == "client" else "pytest"
        run = ActiveRun(row.id, origin, config_of(row.facts, row.id), row.started_ms or 0.0, cancelling=cancelling)
        run.implicit = row.facts.get("implicit") is True
        run.holder = (_text(row.facts.get("clientName")) or "") if told_here else ""
        run.left_ms = now_ms if run.implicit else None
        run.last_ms = now_ms
        for process in processes if origin == "pytest" else ():
            run.processes |= living(*process)
        for test_id, attempt, outcome in attempts:
            run.attempts.load(test_id, attempt, failed=outcome in _FAILED)
        self._runs[row.id] = run

    def __iter__(self) -> Iterator[ActiveRun]:
        return iter(list(self._runs.values()))

    def get(self, run_id: str) -> ActiveRun | None:
        """The run, if it is not over."""
        return self._runs.get(run_id)

    def note(self, verdict: Committed, now_ms: float) -> None:
        """A batch was committed: its run is over, or goes on."""
        if not verdict.run_state:
            return
        if verdict.run_state not in OPEN_STATES:
            self._runs.pop(verdict.run_id, None)
            return
        run = self._runs.get(verdict.run_id)
        if run is None:
            if verdict.source.startswith(LIVE):
                return  # said beside a run that is gone
            run = ActiveRun(verdict.run_id, "pytest", RunConfig(verdict.run_id), now_ms)
            self._runs[verdict.run_id] = run
        if not verdict.source.startswith(LIVE):
            session = verdict.source.removesuffix(f".{verdict.worker}")
            if verdict.main_ended:  # what comes behind it, of the shipper say, is no sign of life
                run.processes = {process for process in run.processes if process[0] != session}
            else:
                run.processes |= living(session, verdict.worker)
            if verdict.fresh and verdict.fresh[-1].type in _ENDS:
                run.processes.discard((session, verdict.worker))
        if run.is_clients or not verdict.source.startswith(LIVE):
            run.last_ms = now_ms

    # -- commands ----------------------------------------------------------------------------------------------

    def start(
        self,
        config: RunConfig,
        now_ms: float,
        *,
        client: str,
        holder: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> Batch:
        """A client starts a run, with the token ``holder``. Raises ``Refusal`` (``RUN_EXISTS``, ``TOO_MANY_RUNS``)."""
        if config.run_id in self._runs or self._exists(config.run_id):
            raise Refusal("RUN_EXISTS", f"there is a run {config.run_id!r} already: choose another runId")
        self._find_room(holder)
        run = self._runs[config.run_id] = ActiveRun(
            config.run_id, "client", config, now_ms, last_ms=now_ms, clients={client}, holder=holder
        )
        return run.batch([], now_ms, client=client, extra=extra)

    def end(
        self, run_id: str, now_ms: float, reason: str | None = None, *, holder: str = "", operates: bool = True
    ) -> Batch:
        """A client ends a run that its token ``holder`` began, or one of anybody if it ``operates``.

        Raises ``Refusal``.
        """
        run = self._clients(run_id, "pytest ends it itself; cancelTestRun stops it")
        if run.holder != holder and not operates:
            raise Refusal("FORBIDDEN", f"run {run_id!r} was begun with another token: to end it needs the role operate")
        return run.batch([event_of(types.RUN_END, now_ms, runId=run_id, exitCode=None, stopReason=reason)], now_ms)

    def cancel(
        self, run_id: str, reason: str, now_ms: float, *, timeout: bool = False, grace_ms: float = GRACE_MS
    ) -> Batch:
        """A run is cancelled: one of a client is over by that, one of pytest when its process has stopped.

        Raises ``Refusal`` (``RUN_NOT_FOUND``).
        """
        run = self._active(run_id)
        run.cancelling, run.grace_ms = run.cancelling or reason, grace_ms
        told = event_of(types.RUN_CANCEL, now_ms, runId=run_id, reason=reason, timeout=timeout or None)
        if not run.is_clients:
            return batch_beside(run_id, f"recorder/{run_id}", [told], now_ms)
        return run.batch([told, broken_off(run_id, reason, now_ms)], now_ms)

    def due(self, now_ms: float, attended: Container[str] = ()) -> list[Batch]:
        """What time alone brings about.

        Runs of clients that took too long are cancelled, implicit ones whose client is gone end. A run of which nothing
        came for the length of a lease counts as dead when nobody sends it (runs of pytest that somebody sends are
        ``attended``), or when its clients are gone; should journals come after all, what they say holds.
        """
        batches = []
        for run in list(self._runs.values()):
            limit = run.config.timeout
            if run.is_clients and run.cancelling is None and limit is not None and now_ms - run.started_ms > limit:
                reason = f"the run took longer than the {limit:g} ms it was given"
                batches.append(self.cancel(run.run_id, reason, now_ms, timeout=True))
            elif run.left_ms is not None and run.cancelling is None and now_ms - run.left_ms > IMPLICIT_GRACE_MS:
                run.cancelling = "its client is gone"
                batches.append(self.end(run.run_id, now_ms, run.cancelling))
            elif (
                not run.is_clients and run.processes and now_ms - run.last_ms > LEASE_MS and run.run_id not in attended
            ):
                run.last_ms = now_ms
                told = deaths(run.run_id, run.processes, silent("nobody sends it"), now_ms)
                batches.append(batch_beside(run.run_id, f"recorder/{run.run_id}", told, now_ms))
            elif run.is_clients and not run.clients and run.cancelling is None and now_ms - run.last_ms > LEASE_MS:
                run.cancelling = silent("its clients are gone")
                batches.append(run.batch([broken_off(run.run_id, run.cancelling, now_ms)], now_ms))
        return batches

    # -- events ------------------------------------------------------------------------------------------------

    def write(
        self,
        event: RawEvent,
        payload: Mapping[str, Any],
        run_id: str | None,
        client: str,
        now_ms: float,
        *,
        holder: str = "",
        operates: bool = True,
    ) -> Written:
        """Where an event goes that a client sent with the token ``holder``; ``run_id``: the run that it started last.

        Raises ``Refusal`` for an event that would start, plan or end a run of pytest, for a ``run/start`` of a run that
        there is, and for one that would begin one run too many.
        """
        named = payload.get("runId")
        chosen = named if isinstance(named, str) and named else run_id or self._only() or f"implicit-{client}"
        if not _RUN_ID.match(chosen):
            raise Refusal("INVALID_MESSAGE", "a runId has 1 to 150 characters, none of them a control character")
        if event.type in _OF_JOURNALS:
            raise Refusal("FORBIDDEN", f"{event.type} comes out of journals only: it is not for clients to say")
        if event.type == types.RUN_CANCEL:
            raise Refusal("FORBIDDEN", "a run is cancelled by cancelTestRun, which needs the role operate")
        if event.type == types.RUN_START:
            return Written(self.start(_config(payload, chosen), now_ms, client=client, holder=holder), [])
        run = self._runs.get(chosen)
        if run is None and not self._exists(chosen):
            self._find_room(holder, client)
            run = ActiveRun(chosen, "client", RunConfig(chosen), now_ms, implicit=True, owner=client, holder=holder)
            self._runs[chosen] = run
        if event.type in _LIFECYCLE:
            return self._lifecycle(event, payload, chosen, now_ms, holder=holder, operates=operates)
        if run is None or not run.is_clients:
            return Written(batch_beside(chosen, f"{client}/{chosen}", [event], now_ms), [], chosen)
        run.clients.add(client)
        if run.left_ms is not None:
            run.owner, run.left_ms = client, None
        return self._judge(run, event, payload, client, now_ms)

    def leave(self, client: str, beside: Iterable[str], now_ms: float) -> list[Batch]:
        """A client has gone: implicit runs of it wait for a while, what it said ``beside`` runs of pytest is over."""
        for run in self._runs.values():
            run.clients.discard(client)
            if run.owner == client:
                run.left_ms = now_ms
        return [
            batch_beside(run_id, f"{client}/{run_id}", [event_of(types.WORKER_END, now_ms, runId=run_id)], now_ms)
            for run_id in beside
            if run_id in self._runs or self._known(run_id)  # it may have been deleted
        ]

    def _known(self, run_id: str) -> bool:
        """Whether the database has the run; as long as it cannot be asked, it is taken to have it."""
        try:
            return self._exists(run_id)
        except Refusal:
            return True

    def forget(self, run_id: str) -> None:
        """The run could not be stored, or was deleted."""
        self._runs.pop(run_id, None)

    def undo_cancel(self, run_id: str) -> None:
        """The cancellation could not be stored."""
        run = self._runs.get(run_id)
        if run is not None:
            run.cancelling = None

    def _lifecycle(
        self,
        event: RawEvent,
        payload: Mapping[str, Any],
        run_id: str,
        now_ms: float,
        *,
        holder: str,
        operates: bool,
    ) -> Written:
        run = self._clients(run_id, "only pytest itself plans and ends it")
        if event.type == types.RUN_END:
            reason = _text(payload.get("stopReason"))
            return Written(self.end(run_id, now_ms, reason, holder=holder, operates=operates), [])
        return Written(run.batch([event], now_ms), [])

    def _judge(
        self, run: ActiveRun, event: RawEvent, payload: Mapping[str, Any], client: str, now_ms: float
    ) -> Written:
        """What a result means for the rest of its run: the test is to be run again, or all is over."""
        failed = event.type == types.TEST_FAILED or (event.type == types.TEST_END and payload.get("status") in _FAILED)
        test_id = payload.get("testId")
        if event.type == types.TEST_START and isinstance(test_id, str):
            run.attempts.start(test_id, payload)
        if not failed or not isinstance(test_id, str):
            return Written(run.batch([event], now_ms, client=client), [])
        number, is_new = run.attempts.fail(test_id, event.type, payload)
        if self.worth_retrying(payload, number, run.config.retries):
            event = RawEvent(event.type, event.timestamp, json_of({**payload, "willRetry": True}))
            again = event_of("test/retry", now_ms, runId=run.run_id, testId=test_id, attempt=number + 1)
            written = run.batch([event], now_ms, client=client)
            return Written(written, [run.batch([again], now_ms)] if is_new else [])
        after = []
        if run.config.fail_fast and run.cancelling is None:
            after.append(self.cancel(run.run_id, f"fail-fast: {test_id} failed", now_ms))
        return Written(run.batch([event], now_ms, client=client), after)

    # -- sources -----------------------------------------------------------------------------------------------

    def _only(self) -> str | None:
        return next(iter(self._runs)) if len(self._runs) == 1 else None

    def _find_room(self, holder: str, owner: str | None = None) -> None:
        """Raises ``Refusal`` when there is none for a run more; ``owner``: who would begin it by an event."""
        if holder and sum(run.holder == holder for run in self._runs.values()) >= HOLDER_RUNS_MAX:
            text = f"{HOLDER_RUNS_MAX} runs that {holder} began go on: end some (endTestRun)"
            raise Refusal("TOO_MANY_RUNS", text)
        begun = sum(run.owner == owner for run in self._runs.values()) if owner is not None else 0
        if begun >= IMPLICIT_RUNS_MAX:
            text = f"this client's events have begun {begun} runs that go on: say the runId of one, or startTestRun"
            raise Refusal("TOO_MANY_RUNS", text)
        if sum(run.is_clients for run in self._runs.values()) >= CLIENT_RUNS_MAX:
            raise Refusal("TOO_MANY_RUNS", f"{CLIENT_RUNS_MAX} runs of clients go on: end some (endTestRun)")

    def _active(self, run_id: str) -> ActiveRun:
        run = self._runs.get(run_id)
        if run is None:
            state = "is over" if self._exists(run_id) else "is not known"
            raise Refusal("RUN_NOT_FOUND", f"run {run_id!r} {state}")
        return run

    def _clients(self, run_id: str, otherwise: str) -> ActiveRun:
        run = self._active(run_id)
        if not run.is_clients:
            raise Refusal("RUN_OF_PYTEST", f"run {run_id!r} was started by pytest: {otherwise}")
        return run


def _config(payload: Mapping[str, Any], run_id: str) -> RunConfig:
    name, retries = payload.get("name"), payload.get("config")
    given = retries if isinstance(retries, dict) else {}
    return config_of({"config": {**given, "name": name if isinstance(name, str) else None}}, run_id)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

"""What connections ask of the database: found in a thread, so that the event loop goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, TypeVar

import msgspec

from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.run_status import run_status, statistics, suite_result, test_result
from semantest_recorder.core.subscription import InvalidPattern, Subscription
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.store.disk_use import bytes_on_disk
from semantest_recorder.store.errors import NoDatabase, RunNotFound, StoreError
from semantest_recorder.store.open_runs import count_open_runs, load_open_runs
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.run_ids import RunIds
from semantest_recorder.store.status import Status
from semantest_recorder.store.timeline import InvalidCursor, TimedEvent, cursor_of, events_between, newest_events

T = TypeVar("T")
#: Queries at a time; more wait.
_THREADS = 2
_REPLAY_PAGE = 200
_FOUND_MAX = 10_000
#: What one page of events holds at most, in bytes, and how many events are looked at for it.
_PAGE_BYTES = 4 * 1024 * 1024
_PAGE_EVENTS = 50_000


class Archive:
    """The queries of core/commands.py, on the database at ``path``; ``at_once`` of them are answered at a time."""

    at_once = _THREADS

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = Reader(path)
        self._status = Status(path)
        self._run_ids = RunIds(path)
        self._threads = DaemonThreads(_THREADS, "semantest-query")
        #: A replay that looks for what is rare keeps its thread for long.
        self._replaying = DaemonThreads(1, "semantest-replay")
        self._closed = Event()
        self._found: dict[str, float] = {}
        self._queries: Mapping[str, Callable[..., object]] = {
            "activeRuns": self._active_runs,
            "runStatus": self._run_status,
            "statistics": self._statistics,
            "events": self._events,
            "newestEvents": self._newest_events,
            "testResults": self._test_results,
            "suites": self._suites,
        }

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of this very id, now or a second ago. Raises ``Refusal``."""
        now = monotonic()
        if self._found.get(run_id, 0.0) > now:
            return True
        try:
            found = run_id in self._run_ids
        except StoreError as error:
            raise Refusal("STORE_ERROR", str(error)) from None
        if found:  # a client that goes on about a run that is over asks for every event
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            self._found[run_id] = now + 1.0
        return found

    def forget_runs(self, run_ids: Iterable[str]) -> None:
        """These runs were deleted."""
        for run_id in run_ids:
            self._found.pop(run_id, None)

    def load_open_runs(self, runs: ActiveRuns, now_ms: float) -> None:
        """Tells ``runs`` of those that were not over when the recorder ended last: of all or, when it raises, of none.

        Raises what ``Reader`` raises.
        """
        for run in load_open_runs(self._path):
            runs.load(run.row, now_ms, cancelling=run.cancelling, processes=run.processes, attempts=run.attempts)

    async def find(self, query: str, parameters: Mapping[str, Any]) -> object:
        """The answer to a query. Raises ``Refusal``."""
        return await self._in_thread(lambda: self._find(query, parameters))

    def find_now(self, query: str, **parameters: Any) -> Any:
        """As ``find``, here and now, for programs that ask without waiting. Raises ``Refusal``."""
        return self._find(query, parameters)

    @staticmethod
    def read(payload: msgspec.Raw) -> Any:
        """What the payload of an event says."""
        return msgspec.json.decode(payload)

    async def replay(
        self, start_ms: float, end_ms: float, types: list[str] | None
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of events between two moments, oldest first.

        Raises what ``Reader`` raises, and ``Refusal`` (``STOPPING``) once it is closed.
        """
        given_up = Event()
        events = self._until(given_up, events_between(self._path, start_ms, end_ms))
        found = self._wanted(events, types)
        try:
            while page := await asyncio.get_running_loop().run_in_executor(self._replaying, _next_page, found):
                yield page
        finally:
            given_up.set()  # its thread may look for the next page, and find none for long

    def close(self) -> None:
        """Waits for no query any more, and ends replays."""
        self._closed.set()
        self._run_ids.close()
        for threads in (self._threads, self._replaying):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _find(self, query: str, parameters: Mapping[str, Any]) -> object:
        try:
            return self._queries[query](**parameters)
        except RunNotFound as error:
            raise Refusal("RUN_NOT_FOUND", str(error)) from None
        except InvalidPattern as error:
            raise Refusal("INVALID_PATTERN", str(error)) from None
        except InvalidCursor as error:
            raise Refusal("INVALID_MESSAGE", str(error)) from None
        except (StoreError, sqlite3.Error) as error:
            raise Refusal("STORE_ERROR", str(error)) from None

    def _active_runs(self) -> list[dict[str, Any]]:
        try:
            return [run_status(*run) for run in count_open_runs(self._path)]
        except NoDatabase:
            return []

    def _run_status(self, run_id: str) -> dict[str, Any]:
        return run_status(self._reader.run_by_id(run_id), *self._status.counts(run_id))

    def _statistics(self) -> dict[str, Any]:
        totals = self._status.totals()
        size = bytes_on_disk(self._path)
        return statistics(totals.events, totals.runs, totals.results, totals.suites, totals.active, size)

    def _events(
        self, start_ms: float, end_ms: float, types: list[str] | None, limit: int, cursor: str | None
    ) -> dict[str, Any]:
        wanted = None if types is None else self._subscription(types)
        found, size, last = list[TimedEvent](), 0, None
        for seen, event in enumerate(events_between(self._path, start_ms, end_ms, cursor), 1):
            if wanted is None or wanted.matches(event.type):
                found.append(event)
                size += len(event.payload)
            if len(found) == limit or size > _PAGE_BYTES or seen == _PAGE_EVENTS:
                last = cursor_of(event)
                break
        return {"events": [event_message(event) for event in found], "cursor": last}

    def _newest_events(self, types: list[str], limit: int) -> list[dict[str, Any]]:
        found = newest_events(self._path, self._subscription(types).matches, limit)
        return [event_message(event) for event in found]

    def _test_results(self, run_id: str, cursor: str | None, limit: int) -> dict[str, Any]:
        if not self._status.has_run(run_id):
            raise RunNotFound(run_id, [])
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidCursor(f"{cursor[:100]!r} is no cursor: take the one that came with the page before")
        page = self._status.results(run_id, int(cursor or 0), limit)
        results = [
            test_result(row, page.errors.get(row[0]), page.details.get(row[0], ()), cut=row[0] in page.cut)
            for row in page.rows
        ]
        return {"runId": run_id, "results": results, "cursor": None if page.last is None else str(page.last)}

    def _suites(self, run_id: str) -> list[dict[str, Any]]:
        if not self._status.has_run(run_id):
            raise RunNotFound(run_id, [])
        return [suite_result(row) for row in self._reader.suites(run_id)]

    def _until(self, given_up: Event, events: Iterator[TimedEvent]) -> Iterator[TimedEvent]:
        """The events, while somebody wants them. Raises ``Refusal`` (``STOPPING``) after ``close``."""
        for event in events:
            if self._closed.is_set():
                raise Refusal("STOPPING", "the recorder is stopping")
            if given_up.is_set():
                return
            yield event

    @staticmethod
    def _wanted(events: Iterator[TimedEvent], types: list[str] | None) -> Iterator[TimedEvent]:
        if types is None:
            return events
        wanted = Archive._subscription(types)
        return (event for event in events if wanted.matches(event.type))

    @staticmethod
    def _subscription(types: list[str]) -> Subscription:
        wanted = Subscription()
        wanted.add(types)
        return wanted


def _next_page(events: Iterator[TimedEvent]) -> list[dict[str, Any]]:
    return [event_message(event) for event in islice(events, _REPLAY_PAGE)]


def event_message(event: TimedEvent) -> dict[str, Any]:
    """An event of the log as clients see it."""
    payload = msgspec.Raw(event.payload.encode())
    return {"id": f"{event.source}:{event.seq}", "type": event.type, "timestamp": event.time_ms, "payload": payload}

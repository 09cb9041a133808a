"""Follows a run to its end and shows it, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import time

from semantest_recorder.cli.live_feed import FeedBroken, LiveEvent, LiveFeed
from semantest_recorder.cli.live_run import LiveRun
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.screens import Screen
from semantest_recorder.cli.stop import NothingRecorded
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.live import LiveView
from semantest_recorder.reports.wording import state_so_far
from semantest_recorder.store.errors import NoDatabase, RunNotFound

_REFRESH_SECONDS = 0.2
_RETRY_SECONDS = 0.5


class Watching:
    """Watches run ``name`` (``None``: the one that runs), waiting for the next one if ``wait``.

    ``all_new``: the folder was waited for, too; whatever is in it is not from before.
    """

    def __init__(self, folder: Path, name: str | None, screen: Screen, *, wait: bool, all_new: bool = False) -> None:
        self._folder = folder
        self._name = name
        self._screen = screen
        self._wait = wait
        self._live: LiveRun | None = None
        #: What is not waited for: a short run may be over before it is seen, and comes as a whole.
        self._before = None if all_new else self._last()

    def has_found(self) -> bool:
        """Whether there is a run to watch.

        Raises ``NothingRecorded`` when nothing runs and it need not wait, ``RunNotFound`` for a name of no run.
        """
        if self._live is None:
            self._live = self._find()
        return self._live is not None

    async def until_it_ends(self) -> LiveView:
        """The run at its end. Raises what ``has_found`` raises."""
        if self.has_found() and self._live is not None and self._live.closed:
            self._screen.show(self._live.view(_now()), [], self._live.finished())
            return self._ended(self._live)
        while True:
            try:
                async with LiveFeed(self._folder) as feed:
                    if self._live is not None:
                        self._live.reload()  # what happened while we were not connected
                    while not await self._look(feed):
                        pass
            except FeedBroken:
                await self._without_feed()
            live = self._live
            if live is not None and live.closed:
                return self._ended(live)

    def _ended(self, live: LiveRun) -> LiveView:
        view = live.view(_now())
        self._screen.end(view)
        return view

    async def _look(self, feed: LiveFeed) -> bool:
        """Take what comes for a moment and show it; whether the run has ended."""
        live = self._live
        came: list[LiveEvent] = [event async for event in feed.events(_REFRESH_SECONDS)]
        events = [event for event in came if live.take(event)] if live is not None else []
        if self._live is None:
            self._live = self._find()
            if self._live is None:
                return False
        self._screen.show(self._live.view(_now()), events, self._live.finished())
        return self._live.closed

    async def _without_feed(self) -> None:
        """No recorder: what the database says, and a little patience."""
        if self._live is None:
            self._live = self._find()
        else:
            self._live.reload()
            self._screen.show(self._live.view(_now()), [], self._live.finished())
        if self._live is None or not self._live.closed:
            await asyncio.sleep(_RETRY_SECONDS)

    def _find(self) -> LiveRun | None:
        """The run that is meant, if it is there yet. Raises as ``has_found``."""
        try:
            run = reader_of(self._folder).run(self._name or "last")
        except (NoDatabase, RunNotFound) as error:
            if self._wait:
                return None
            if self._name is not None:
                raise
            raise NothingRecorded(f"nothing runs: {error}") from error
        if self._name is None and run.state in CLOSED_RUN_STATES:
            if not self._wait:
                raise NothingRecorded(_nothing_runs(run))
            if run.id == self._before:
                return None
        return LiveRun(self._folder, run.id)

    def _last(self) -> str | None:
        """The run that started last, if there is one."""
        try:
            return reader_of(self._folder).run("last").id
        except (NoDatabase, RunNotFound):
            return None


def _nothing_runs(run: RunRow) -> str:
    state = state_so_far(run.state, run.shards_missing)
    return (
        f"nothing runs: the last run, {inert_line(run.id)}, is {state}. "
        "`semantest report` shows it, `semantest watch --wait` waits for the next."
    )


def _now() -> float:
    return time() * 1000

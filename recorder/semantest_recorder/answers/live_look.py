"""A first look at a run that may go on, before it is followed; and which runs go on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pytest_semantest.protocol.events import BAD_STATES
from semantest_recorder.answers.watched_run import UsualTimes
from semantest_recorder.core.live_log import LINES, LiveLog, LogLine
from semantest_recorder.core.stack_dump import StackDump, stack_dump
from semantest_recorder.reports.checkout import run_checkout
from semantest_recorder.reports.live import counted_view
from semantest_recorder.reports.live_look import FAILURES, WAITING, LiveLook
from semantest_recorder.store.errors import CannotOpen, RunNotFound
from semantest_recorder.store.live_look import LookSize, read_look
from semantest_recorder.store.read_only import connect_read_only

#: Tests that run at a time and are shown before the page is followed, and stack dumps.
_RUNNING, STACKS = 100, 20


class FirstLook(NamedTuple):
    """A look, the last lines of what happened, oldest first, and the newest stack dumps, newest first."""

    look: LiveLook
    log: list[LogLine]
    stacks: list[StackDump]


def first_look(database: Path, run_id: str, now_ms: float) -> FirstLook:
    """The run at one moment, by a few windows into it. Raises ``RunNotFound`` and what ``connect_read_only`` raises."""
    size = LookSize(FAILURES, _RUNNING, WAITING, LINES, STACKS)
    with closing(connect_read_only(database)) as connection:
        try:
            rows = read_look(connection, run_id, BAD_STATES, size)
        except sqlite3.Error as error:
            raise CannotOpen(database, str(error)) from None
    if rows is None:
        raise RunNotFound(run_id, [])
    view = counted_view(rows.run, rows.numbers, rows.bad, rows.attempts, now_ms, UsualTimes(database).of)
    log = LiveLog()
    for worker, event in rows.events:
        log.take(worker, (event,))
    busy = {test.worker for test in view.running}
    apart = [worker for worker in rows.workers if worker != "main"] or rows.workers
    look = LiveLook(
        view,
        rows.run.started_ms,
        rows.run.ended_ms,
        [name for name in apart if name not in busy],
        rows.waiting,
        run_checkout(rows.run),
    )
    return FirstLook(look, log.since(0), [dump for event in rows.stacks if (dump := stack_dump(event)) is not None])

"""The runs of an analysis, after what was left over has been taken in, and the database that they are in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.leftovers import take_in_and_tell
from semantest_recorder.cli.stop import NothingRecorded
from semantest_recorder.cli.window_options import WindowOptions
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.wording import moment
from semantest_recorder.store.analysis_window import require_branch, window
from semantest_recorder.store.read_only import connect_read_only


@contextmanager
def found_window(
    folder: Path, options: WindowOptions, sync_seconds: float, usual: int | None = 100
) -> Iterator[tuple[sqlite3.Connection, list[WindowRun]]]:
    """A connection that reads, and the closed runs that ``options`` choose, the oldest first, at least one.

    Where they do not say how many runs, or of what time: the ``usual`` number of runs, ``None``: all. Runs that only
    journals have are not among them: it is noted. Raises ``NothingRecorded`` or ``BranchNotFound`` when there is no
    run, and what ``connect_read_only`` raises.
    """
    take_in_and_tell(folder, sync_seconds)
    since = None if options.window_ms is None else time.time() * 1000 - options.window_ms
    with closing(connect_read_only(folder / DATABASE)) as connection:
        runs = window(connection, since_ms=since, branch=options.branch, most=options.most(usual))
        if not runs:
            raise _why_none(connection, options)
        yield connection, runs


def _why_none(connection: sqlite3.Connection, options: WindowOptions) -> NothingRecorded:
    """Raises ``BranchNotFound`` for a branch that no run has."""
    newest = window(connection, branch=options.branch, most=1)
    if newest:
        started = moment(newest[0].since_ms)
        return NothingRecorded(f"no run started in that time, the newest one did on {started}: give a longer --window")
    if options.branch is None:
        return NothingRecorded("no run has ended yet")
    require_branch(connection, options.branch)
    return NothingRecorded(f"no run of branch {options.branch!r} has ended yet")

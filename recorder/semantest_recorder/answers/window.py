"""The runs that an analysis looks at, and the database that they are in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from semantest_recorder.answers.errors import NoRunEnded, NoRunInTime, Unanswered
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.reports.wording import moment
from semantest_recorder.store.analysis_window import require_branch, window
from semantest_recorder.store.read_only import connect_read_only


class Window(NamedTuple):
    """At most the ``most`` newest closed runs of those that started since ``since_ms``, of ``branch``.

    ``since_ms`` in milliseconds since the epoch; ``None`` sets no limit.
    """

    most: int | None = 100
    since_ms: float | None = None
    branch: str | None = None


@contextmanager
def found_window(database: Path, chosen: Window) -> Iterator[tuple[sqlite3.Connection, list[WindowRun]]]:
    """A connection that reads, and the runs of the window, the oldest first, at least one.

    Raises ``NoRunInTime``, ``NoRunEnded`` or ``BranchNotFound`` when there is no run, and what ``connect_read_only``
    raises.
    """
    with closing(connect_read_only(database)) as connection:
        runs = window(connection, since_ms=chosen.since_ms, branch=chosen.branch, most=chosen.most)
        if not runs:
            raise why_none(connection, chosen.branch)
        yield connection, runs


def why_none(connection: sqlite3.Connection, branch: str | None) -> Unanswered:
    """Why no run is in a window of ``branch``. Raises ``BranchNotFound`` for a branch that no run has."""
    newest = window(connection, branch=branch, most=1)
    if newest:
        return NoRunInTime(moment(newest[0].since_ms))
    if branch is not None:
        require_branch(connection, branch)
    return NoRunEnded(branch)

"""Runs that are not over, all of them over one connection: there may be thousands."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

from pytest_semantest.protocol.identity import CLIENT_WORKER
from semantest_recorder.core.rows import RunRow
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.row_reading import run_row

_SQL = statements("status.sql")
_RUN = statements("reader.sql")["run"]
T = TypeVar("T")


class OpenRun(NamedTuple):
    """A run, why it is being cancelled, if it is, session and worker of each process of it that has not ended.

    A shipper whose pytest has ended is none of them. ``attempts``: test, number and outcome of each one, for a run of a
    client.
    """

    row: RunRow
    cancelling: str | None
    processes: list[tuple[str, str]]
    attempts: list[tuple[str, int, str | None]]


class CountedRun(NamedTuple):
    """A run, how many of its tests are in each state, how many suites it has, and how many have ended."""

    row: RunRow
    counts: dict[str, int]
    suites: tuple[int, int]


def load_open_runs(path: Path) -> list[OpenRun]:
    """All that the recorder has to know of them, oldest first. Raises what ``Reader`` raises."""

    def load(connection: sqlite3.Connection, row: RunRow, cancelling: str | None) -> OpenRun:
        processes = connection.execute(_SQL["open_processes"], (row.id, CLIENT_WORKER)).fetchall()
        clients = row.facts.get("origin") == "client"
        attempts = connection.execute(_SQL["outcomes"], (row.id,)).fetchall() if clients else []
        return OpenRun(row, cancelling, processes, attempts)

    return _each(path, load)


def count_open_runs(path: Path) -> list[CountedRun]:
    """How far they are, oldest first. Raises what ``Reader`` raises."""

    def count(connection: sqlite3.Connection, row: RunRow, _cancelling: str | None) -> CountedRun:
        counts = dict(connection.execute(_SQL["result_counts"], (row.id,)).fetchall())
        return CountedRun(row, counts, connection.execute(_SQL["suite_counts"], (row.id,)).fetchone())

    return _each(path, count)


def _each(path: Path, load: Callable[[sqlite3.Connection, RunRow, str | None], T]) -> list[T]:
    with closing(connect_read_only(path)) as connection:
        try:
            connection.execute("BEGIN")  # one snapshot: runs end, and a cleanup may delete them, meanwhile
            return [
                load(connection, run_row(connection.execute(_RUN, (run_id,)).fetchone()), cancelling)
                for run_id, cancelling in connection.execute(_SQL["open_runs"]).fetchall()
            ]
        except sqlite3.Error as error:
            raise CannotOpen(path, str(error)) from None

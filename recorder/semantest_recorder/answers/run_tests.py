"""The tests of a run: counts, and windows of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from pytest_semantest.protocol.identity import SHIPPER_WORKER
from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.errors import NoRunOfTest
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.result_list import run_key_of
from semantest_recorder.store.result_window import (
    NO_LIMIT,
    Place,
    ResultFilter,
    ResultWindow,
    WindowOrder,
    WindowRow,
)

__all__ = [
    "Bounds",
    "ResultFilter",
    "WindowOfTests",
    "WindowOrder",
    "WindowRow",
    "all_tests",
    "window_of_tests",
    "workers_of_run",
]


class Bounds(NamedTuple):
    """Where a window is: behind the test ``after``, before the test ``before``, or at the ``end``.

    With nothing of it at the first test.
    """

    after: str = ""
    before: str = ""
    end: bool = False


class WindowOfTests(NamedTuple):
    """Some tests; ``states`` counts those that fit but for the wanted states, ``None`` where it was not asked for."""

    rows: list[WindowRow]
    states: Mapping[str, int] | None


def window_of_tests(
    database: Path,
    run_id: str,
    wanted: ResultFilter,
    order: WindowOrder,
    bounds: Bounds,
    most: int,
    *,
    counted: bool = False,
) -> WindowOfTests:
    """At most ``most`` tests of the run with this id that fit ``wanted``, in this order; ``counted``: with states.

    Raises ``NoRunOfTest`` when the run has not the test of the bounds, ``RunNotFound`` and what ``Reader`` raises.
    """
    with snapshot(database) as connection:
        window = ResultWindow(connection, _key(connection, run_id), wanted, order)
        states = window.states() if counted else None
        if bounds.after:
            rows = window.rows(_place(window, bounds.after), None, most)
        elif bounds.before:
            rows = window.rows(None, _place(window, bounds.before), most)
        else:
            rows = window.last_rows(most) if bounds.end else window.rows(None, None, most)
    return WindowOfTests(rows, states)


def all_tests(database: Path, run_id: str, wanted: ResultFilter, order: WindowOrder) -> list[WindowRow]:
    """All of them. Raises ``RunNotFound`` and what ``Reader`` raises."""
    with snapshot(database) as connection:
        return ResultWindow(connection, _key(connection, run_id), wanted, order).rows(None, None, NO_LIMIT)


def workers_of_run(database: Path, run_id: str) -> list[str]:
    """The names of the processes that ran tests of it or could have, in the order in which they came.

    Raises what ``Reader`` raises.
    """
    found = dict.fromkeys(source.worker for source in Reader(database).sources(run_id))
    return [worker for worker in found if worker != SHIPPER_WORKER]


def _key(connection: Connection, run_id: str) -> int:
    key = run_key_of(connection, run_id)
    if key is None:
        raise RunNotFound(run_id, [])
    return key


def _place(window: ResultWindow, test_id: str) -> Place:
    place = window.place(test_id)
    if place is None:
        raise NoRunOfTest(test_id, None)
    return place

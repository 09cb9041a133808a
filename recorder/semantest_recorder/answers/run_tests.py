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
    "WindowOrder",
    "WindowRow",
    "all_tests",
    "states_of_tests",
    "test_window",
    "workers_of_run",
]


class Bounds(NamedTuple):
    """Where a window is: behind the test ``after``, before the test ``before``, or at the ``end``.

    With nothing of it at the first test.
    """

    after: str = ""
    before: str = ""
    end: bool = False


def test_window(
    database: Path, run_id: str, wanted: ResultFilter, order: WindowOrder, bounds: Bounds, most: int
) -> list[WindowRow]:
    """At most ``most`` tests of the run with this id that fit ``wanted``, in this order.

    Raises ``NoRunOfTest`` when the run has not the test of the bounds, ``RunNotFound`` and what ``Reader`` raises.
    """
    with snapshot(database) as connection:
        window = ResultWindow(connection, _key(connection, run_id), wanted, order)
        if bounds.after:
            return window.rows(_place(window, bounds.after), None, most)
        if bounds.before:
            return window.rows(None, _place(window, bounds.before), most)
        return window.last_rows(most) if bounds.end else window.rows(None, None, most)


def all_tests(database: Path, run_id: str, wanted: ResultFilter, order: WindowOrder) -> list[WindowRow]:
    """All of them. Raises ``RunNotFound`` and what ``Reader`` raises."""
    with snapshot(database) as connection:
        return ResultWindow(connection, _key(connection, run_id), wanted, order).rows(None, None, NO_LIMIT)


def states_of_tests(database: Path, run_id: str, wanted: ResultFilter) -> Mapping[str, int]:
    """How many tests of the run are in each state, of those that fit ``wanted`` but for its states.

    Raises ``RunNotFound`` and what ``Reader`` raises.
    """
    with snapshot(database) as connection:
        return ResultWindow(connection, _key(connection, run_id), wanted, "plan").states()


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

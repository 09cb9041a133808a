"""``/tests``: the tests that the history knows, by a part of their ids."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.answers.cursor import InvalidCursor
from semantest_recorder.answers.tests import page_of_tests
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.table import Table
from semantest_recorder.reports.known_tests import TestPage

_SHOWN, _MOST, _EXPORTED = 100, 1000, 10_000


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [Page("/tests", "test_search.html", "tests", *views, asks=("q", "after", "limit"))]


def _found(database: Path, visit: Visit, most: int) -> TestPage:
    try:
        return page_of_tests(database, visit.asked("q"), cursor=visit.asked("after") or None, limit=most)
    except InvalidCursor as error:
        raise Misunderstood(str(error)) from None


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    return {"found": _found(database, visit, visit.number("limit", _SHOWN, _MOST))}


def _table(database: Path, visit: Visit) -> Table:
    return Table("tests", ("test",), [[test.id] for test in _found(database, visit, _EXPORTED).tests])

"""``/tests``: the tests that the history knows, by a part of their ids."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.answers.found_tests import found_tests
from semantest_recorder.pages.page import Page, Visit
from semantest_recorder.pages.table import Table

_SHOWN, _MOST, _EXPORTED = 100, 1000, 10_000


def pages(database: Path) -> list[Page]:
    """The page."""
    return [Page("/tests", "test_search.html", "tests", partial(_view, database), partial(_table, database))]


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    most = visit.number("limit", _SHOWN, _MOST)
    found = found_tests(database, visit.asked("q"), most + 1)
    return {"tests": found[:most], "more": len(found) > most}


def _table(database: Path, visit: Visit) -> Table:
    return Table("tests", ("test",), [[test] for test in found_tests(database, visit.asked("q"), _EXPORTED)])

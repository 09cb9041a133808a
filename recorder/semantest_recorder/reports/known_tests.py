"""The tests that a history knows: their public shapes."""

from __future__ import annotations

import msgspec

from semantest_recorder.reports.past_result import PastResult
from semantest_recorder.reports.report import REPORT_SCHEMA, Public


class TestName(Public):
    """A test by its name: its suite is a file or class, ``params`` the part of the id in brackets."""

    __test__ = False

    id: str
    suite: str
    function: str
    params: str | None


class TestPage(msgspec.Struct, kw_only=True):
    """Some tests in the order of their ids; ``next``: the cursor of the page behind, null on the last one."""

    __test__ = False

    schema: int = REPORT_SCHEMA
    tests: list[TestName]
    next: str | None = None


class KnownTest(msgspec.Struct, kw_only=True, rename="camel"):
    """One test: its name, its earlier ones, and what became of it in the last run that has it, if any still does."""

    schema: int = REPORT_SCHEMA
    test: TestName
    earlier_names: list[str]
    last: PastResult | None

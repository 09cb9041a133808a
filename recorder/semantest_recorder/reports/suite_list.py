"""The suites of a run for lists of them."""

from __future__ import annotations

import msgspec

from semantest_recorder.reports.report import REPORT_SCHEMA, SuiteInfo


class SuiteList(msgspec.Struct, kw_only=True):
    """The suites of a run as its report has them, in the order in which they began."""

    schema: int = REPORT_SCHEMA
    run: str
    suites: list[SuiteInfo]

"""Results of a run for lists of them, and one with everything in it: their public shapes."""

from __future__ import annotations

import msgspec

from semantest_recorder.reports.report import REPORT_SCHEMA, TestInfo


class ResultPage(msgspec.Struct, kw_only=True):
    """Some tests of a run as its report has them, attempts of those that are not plainly green.

    ``total``: how many there are on all pages; ``next``: the cursor of the page behind, null on the last one.
    """

    schema: int = REPORT_SCHEMA
    run: str
    total: int
    tests: list[TestInfo]
    next: str | None = None


class ResultOfTest(msgspec.Struct, kw_only=True):
    """One test of a run with all that is known of its attempts: phases, steps, logs, output, attachments."""

    schema: int = REPORT_SCHEMA
    run: str
    test: TestInfo

"""Suites of a run: how tests count in them, which tests are in which, when they start and end."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.ledger import BUCKET
from semantest_recorder.core.rows import SuiteRow
from semantest_recorder.core.tables import Suite, Tables, Test


def count_in_suite(suite: SuiteRow, before: str | None, state: str | None) -> None:
    """Counts a test of the suite that passes from one state to another; ``None``: it is not in the suite."""
    left, joined = BUCKET.get(before or ""), BUCKET.get(state or "")
    if left != joined:
        if left is not None:
            suite.done -= 1
            setattr(suite, left, getattr(suite, left) - 1)
        if joined is not None:
            suite.done += 1
            setattr(suite, joined, getattr(suite, joined) + 1)


def put_into_suite(tables: Tables, test: Test, suite_id: str) -> None:
    """Puts a test into the suite that a client names; of several the smallest name counts."""
    result, left = test.result, tables.suites[test.suite.suite_id]
    if result.suite_id is not None and result.suite_id <= suite_id:
        return
    result.suite_id = suite_id
    if left.row.suite_id == suite_id:
        return
    joined = tables.suite(suite_id)
    tables.left_suites[left.row.suite_id] = left
    left.row.total -= 1
    count_in_suite(left.row, result.state, None)
    joined.tests.append(test)
    joined.row.total += 1
    count_in_suite(joined.row, None, result.state)
    test.suite = joined.row
    tables.unsettled_suites[suite_id] = joined.row
    tables.unsettled[result.test_id] = test


def recount_left(tables: Tables) -> None:
    """Suites that tests have left: each goes, or starts with what is still in it."""
    left, tables.left_suites = tables.left_suites, {}
    for suite in left.values():
        _recount(tables, suite)


def _recount(tables: Tables, suite: Suite) -> None:
    row = suite.row
    # A test that came back since is there twice.
    suite.tests = list({id(test): test for test in suite.tests if test.suite is row}.values())
    if not suite.tests and row.name is None and row.told_started_ms is None and row.told_ended_ms is None:
        tables.remove_suite(row.suite_id)
        return
    starts = [row.told_started_ms, *(test.result.started_ms for test in suite.tests)]
    row.started_ms = min((at for at in starts if at is not None), default=None)
    tables.unsettled_suites[row.suite_id] = row


def settle_end(tables: Tables, suite: Suite) -> bool:
    """Brings a suite's end up to date; whether it just ended."""
    row = suite.row
    tables.dirty_suites[row.suite_id] = row
    had_ended = row.ended_ms is not None
    row.ended_ms = row.told_ended_ms
    if row.ended_ms is None and row.done == row.total and tables.suites_may_end:
        row.ended_ms = max(
            (at for at in (test.result.ended_ms for test in suite.tests) if at is not None), default=None
        )
    return row.ended_ms is not None and not had_ended


def suite_start(run_id: str, row: SuiteRow) -> RawEvent:
    """The event of a suite that has started."""
    content = {"suiteId": row.suite_id, "suiteName": row.name or row.suite_id, "totalTests": row.total}
    return _event(run_id, "test/suite/start", row.started_ms or 0.0, content)


def suite_end(run_id: str, row: SuiteRow) -> RawEvent:
    """The event of a suite that has ended."""
    ended = row.ended_ms or 0.0
    content = {
        "suiteId": row.suite_id,
        "suiteName": row.name or row.suite_id,
        "duration": ended - (row.started_ms or ended),
        "totalTests": row.total,
        "passedTests": row.passed,
        "failedTests": row.failed,
        "skippedTests": row.skipped,
    }
    return _event(run_id, "test/suite/end", ended, content)


def _event(run_id: str, kind: str, at: float, content: Mapping[str, object]) -> RawEvent:
    return RawEvent(kind, at, msgspec.Raw(msgspec.json.encode({"runId": run_id, **content})))

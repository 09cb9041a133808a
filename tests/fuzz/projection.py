"""Histories of runs, in any order and with restarts: the projection is what a replay gives."""

from __future__ import annotations

from collections import Counter

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES, WIRE_STATUS
from pytest_semantest.protocol.identity import suite_of
from tests.choices import Choices
from tests.recorder.core.histories import Rows, history_of, rows_of, rows_of_batches


def check(choose: Choices) -> None:
    """No order of arrival and no restart changes a row, and the rows agree with one another."""
    seed, history = choose.number(0, 2**32), history_of(choose)
    rows = rows_of(history)
    assert rows_of_batches(history, seed, reload=True).content() == rows.content()
    check_ledger(rows)


def check_ledger(rows: Rows) -> None:
    """Every test has one state, a run that passed has no bad one, and suites count what is in them."""
    states = Counter(row.state for row in rows.results.values())
    assert sum(states.values()) == len(rows.results)
    if rows.run.state != "running":
        assert set(states) <= set(FINAL_STATES)
        assert rows.run.ended_ms is not None
    if rows.run.state == "passed":
        assert not BAD_STATES & set(states)
        assert rows.run.gaps == 0
    for suite in rows.suites.values():
        mine = [row for row in rows.results.values() if (row.suite_id or suite_of(row.test_id)) == suite.suite_id]
        wire = Counter(WIRE_STATUS[row.state] for row in mine)
        assert suite.total == len(mine)
        assert (suite.passed, suite.failed, suite.skipped) == (wire["passed"], wire["failed"], wire["skipped"])
        assert suite.done == suite.passed + suite.failed + suite.skipped

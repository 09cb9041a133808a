"""The decision tables against the rows of docs/design/ledger.md, every combination."""

from __future__ import annotations

from itertools import product

import pytest

from pytest_semantest.protocol.events import BAD_OUTCOMES, BAD_STATES, FINAL_STATES, WIRE_STATUS
from semantest_recorder.core.ledger import (
    BUCKET,
    SEVERITY,
    outcome_without_end,
    rank,
    state_of_run,
    state_of_successive,
    state_without_start,
)

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed", "timeout", "interrupted", "lost")
BOTH = (False, True)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_successive_attempts(length: int) -> None:
    for outcomes in product(OUTCOMES, repeat=length):
        last, earlier = outcomes[-1], outcomes[:-1]
        if last in ("passed", "xpassed", "skipped", "xfailed") and any(outcome in BAD_OUTCOMES for outcome in earlier):
            expected = "flaky"
        else:
            expected = last
        assert state_of_successive(outcomes) == expected
        assert state_of_successive((*outcomes, None)) == "running"
        assert expected in FINAL_STATES


def test_the_worst_of_several_sources_wins() -> None:
    order = ["lost", "crashed", "timeout", "interrupted", "error", "failed", "not_run"]
    order += ["flaky", "xpassed", "passed", "xfailed", "skipped"]
    assert [state for state in SEVERITY if state != "running"] == order
    assert set(order) == set(FINAL_STATES)
    assert sorted(SEVERITY, key=rank) == ["running", *order]


def test_an_attempt_without_an_end() -> None:
    rows = product(BOTH, BOTH, BOTH, (0.0, 94.9, 95.0, 200.0), (None, 0.0, 100.0))
    for crashed, gap, interrupted, elapsed, timeout in rows:
        if crashed and timeout and elapsed >= 95.0:
            expected = "timeout"
        elif crashed:
            expected = "crashed"
        elif gap:
            expected = "lost"
        elif interrupted:
            expected = "interrupted"
        else:
            expected = "lost"
        found = outcome_without_end(crashed=crashed, gap=gap, interrupted=interrupted, elapsed=elapsed, timeout=timeout)
        assert found == expected


def test_a_planned_test_that_never_started() -> None:
    table = {(True, True): "lost", (True, False): "lost", (False, True): "not_run", (False, False): "lost"}
    for gap, stopped in product(BOTH, BOTH):
        assert state_without_start(gap=gap, stopped=stopped) == table[gap, stopped]


def test_a_run() -> None:
    for closed, timed_out, cancelled, broken, green in product(BOTH, repeat=5):
        for exit_code in (None, 0, 1, 2, 3, 5, -9):
            found = state_of_run(
                closed=closed,
                timed_out=timed_out,
                cancelled=cancelled,
                broken=broken,
                exit_code=exit_code,
                green=green,
            )
            if not closed:
                assert found == "running"
            elif timed_out:
                assert found == "timeout"
            elif cancelled:
                assert found == "cancelled"
            elif broken:
                assert found == "interrupted"
            elif exit_code != 0 or not green:
                assert found == "failed"
            else:
                assert found == "passed"


def test_every_final_state_counts_as_one_status() -> None:
    assert set(BUCKET) == set(FINAL_STATES)
    assert {state for state, status in BUCKET.items() if status == "failed"} == BAD_STATES - {"not_run"}
    assert all(WIRE_STATUS[state] == status for state, status in BUCKET.items())

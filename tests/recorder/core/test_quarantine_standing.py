"""How entries stand: their day, their tests, and what became of these."""

from __future__ import annotations

from datetime import date, timedelta

from pytest_semantest.protocol.quarantine import Entry
from semantest_recorder.core.quarantine_standing import (
    ENOUGH_RUNS,
    PastRun,
    PastState,
    entry_tests,
    standings,
    whole_run,
)

TODAY = date(2026, 11, 21)
TESTS = ["a.py::test_x[1]", "a.py::test_x[2]", "a.py::test_y", "b.py::test_z"]


def entry(test: str, days: int = 5) -> Entry:
    return Entry(test, "r", "ann", TODAY + timedelta(days))


def test_the_whole_suite_is_the_newest_complete_run_that_few_exceed() -> None:
    runs = [PastRun(1, "part", 10, True), PastRun(2, "broken", 110, False), PastRun(3, "whole", 95, True)]
    assert whole_run([*runs, PastRun(4, "larger", 100, True)]) == runs[2]
    assert whole_run([PastRun(5, "larger still", 200, True), *runs]) == PastRun(5, "larger still", 200, True)
    assert whole_run([PastRun(6, "nothing", 0, True), runs[1]]) is None


def test_each_test_counts_for_the_most_exact_entry() -> None:
    entries = [entry("a.py"), entry("a.py::test_x"), entry("c.py")]
    found = entry_tests(entries, TESTS)
    assert found == {"a.py": ["a.py::test_y"], "a.py::test_x": TESTS[:2]}


def test_entries_stand_by_their_day_and_their_tests() -> None:
    entries = [entry("a.py::test_x"), entry("a.py::test_y"), entry("b.py", days=-1), entry("c.py", days=0)]
    past = [PastState(test, "passed") for test in TESTS[:3] for _ in range(ENOUGH_RUNS)]
    past += [PastState("a.py::test_x[2]", "flaky"), PastState("a.py::test_y", "skipped")]
    found = standings(entries, TODAY, entry_tests(entries, TESTS), past)
    assert [(one.status, one.days_left) for one in found] == [
        ("holds", 5),
        ("passing", 5),
        ("expired", -1),
        ("unmatched", 0),
    ]
    x, y, *_ = found
    assert (x.runs, x.passed, x.failed, x.flaky) == (ENOUGH_RUNS + 1, 2 * ENOUGH_RUNS, 0, 1)
    assert (y.passed, y.tests) == (ENOUGH_RUNS, ["a.py::test_y"])


def test_nothing_is_called_needless_or_unmatched_without_a_run_that_tells() -> None:
    entries = [entry("a.py::test_x"), entry("c.py")]
    assert [one.status for one in standings(entries, TODAY, None, [])] == ["holds", "holds"]
    few = [PastState(test, "passed") for test in TESTS[:2] for _ in range(ENOUGH_RUNS)][:-1]
    assert standings(entries, TODAY, entry_tests(entries, TESTS), few)[0].status == "holds"

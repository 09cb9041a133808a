"""One look at a running run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.rows import AttemptRow, ResultRow
from semantest_recorder.reports.live import LiveView, Usual, live_view, usual_time
from semantest_recorder.reports.live_lines import live_display, plain_lines, progress_words
from tests.recorder.reports.rows_of import START, attempt_row, result_row, run_rows

_RESULTS = [
    result_row("a.py::test_ok", "passed", 0, ended_ms=START + 10),
    result_row("a.py::test_bad", "failed", 1, ended_ms=START + 20),
    result_row("a.py::test_worse", "crashed", 2, ended_ms=START + 30, reason="process died"),
    result_row("a.py::test_runs[\x1b[31m]", "running", 3),
    result_row("a.py::test_waits", "pending", 4),
]
_ATTEMPTS = [
    attempt_row("a.py::test_bad", "failed", error_message="assert [red]1[/red] == 2\nmore"),
    attempt_row("a.py::test_runs[\x1b[31m]", None, 2, worker="gw1", started_ms=START + 1000, phase="teardown"),
]


def look(usual: Usual | None = None, state: str = "running") -> LiveView:
    rows = run_rows(_RESULTS, state=state, ended_ms=START + 9000 if state != "running" else None)
    return live_view(rows.run, _RESULTS, _ATTEMPTS, START + 4000, lambda _test_id: usual)


def test_numbers_add_up_and_the_latest_failure_is_first() -> None:
    view = look()
    assert (view.done, view.counts.total, view.counts.running, view.counts.pending) == (3, 5, 1, 1)
    assert view.elapsed_ms == 4000
    assert [(failure.test_id, failure.message) for failure in view.failures] == [
        ("a.py::test_worse", "process died"),
        ("a.py::test_bad", "assert [red]1[/red] == 2\nmore"),
    ]


@pytest.mark.parametrize(
    ("usual", "slow"), [(None, False), (Usual(100, 2999), True), (Usual(100, 3000), False), (Usual(100, 3001), False)]
)
def test_a_test_is_slow_beyond_its_95th_percentile(usual: Usual | None, slow: bool) -> None:
    (running,) = look(usual).running
    assert (running.worker, running.attempt, running.phase, running.elapsed_ms) == ("gw1", 2, "teardown", 3000)
    assert (running.slow, running.usual_ms) == (slow, usual.median_ms if usual else None)


def test_a_closed_run_has_no_running_tests_and_its_own_duration() -> None:
    view = look(state="failed")
    assert (view.running, view.elapsed_ms) == ([], 9000)


def past(state: str, duration_ms: float) -> PastRun:
    return PastRun("r", None, "passed", START, None, None, None, "a.py::t", state, 1, duration_ms, "main", None, None)


def test_the_usual_time_is_that_of_green_results() -> None:
    times = [past("passed", float(n)) for n in range(1, 101)] + [past("failed", 1e6), past("flaky", 50.0)]
    usual = usual_time(times)
    assert usual is not None
    assert (usual.median_ms, round(usual.p95_ms)) == (50, 95)
    assert usual_time([past("passed", 7.0)]) == Usual(7.0, 7.0)
    assert usual_time([past("failed", 7.0)]) is None


def test_the_display_shows_everything_and_obeys_nothing() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=120, markup=True, force_terminal=False)
    console.print(live_display(look(Usual(100, 200))))
    text = stream.getvalue()
    assert "3 of 5" in text
    assert "1 passed, 1 failed, 1 crashed, 1 running, 1 pending" in text
    assert "gw1" in text
    assert "a.py::test_runs[] (attempt 2)" in text
    assert "FAILED a.py::test_bad - assert [red]1[/red] == 2" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("state", "results", "style"),
    [
        ("running", _RESULTS, "red"),
        ("running", _RESULTS[:1] + _RESULTS[3:], "green"),
        ("failed", _RESULTS[:2], "red"),
        ("failed", _RESULTS[:1], "red"),
        ("passed", _RESULTS[:1], "green"),
    ],
)
def test_the_bar_is_green_only_while_nothing_is_wrong(state: str, results: list[ResultRow], style: str) -> None:
    rows = run_rows(results, state=state)
    display = live_display(live_view(rows.run, results, [], START + 4000, lambda _test_id: None))
    (bar,) = (cell for cell in cells(display) if isinstance(cell, ProgressBar))
    assert (bar.complete_style, bar.finished_style) == (style, style)


def cells(display: Group) -> list[RenderableType]:
    tables = [part for part in display.renderables if isinstance(part, Table)]
    return [cell for table in tables for column in table.columns for cell in column.cells]


def test_before_the_plan_is_known_the_tests_are_being_collected() -> None:
    rows = run_rows([], state="running", ended_ms=None)
    view = live_view(rows.run, [], [], START, lambda _test_id: None)
    stream = io.StringIO()
    Console(file=stream, width=120).print(live_display(view))
    assert "collecting tests" in stream.getvalue()
    assert "0 of 0" not in stream.getvalue()
    assert progress_words(view) == "collecting tests"
    over = run_rows([], state="failed")
    assert progress_words(live_view(over.run, [], [], START, lambda _test_id: None)) == "0 of 0 tests"
    assert progress_words(look()) == "3 of 5 tests: 1 passed, 1 failed, 1 crashed, 1 running, 1 pending"


def test_one_slow_time_among_few_does_not_make_slow_usual() -> None:
    usual = usual_time([past("passed", 200.0), past("passed", 201.0), past("passed", 3100.0)])
    assert usual is not None
    assert usual.median_ms == 201
    assert look(usual).running[0].slow, "it runs for 3 s"
    even = usual_time([past("passed", 2900.0), past("passed", 3000.0), past("passed", 3100.0)])
    assert even is not None
    assert not look(even).running[0].slow


def test_plain_lines() -> None:
    lines = list(plain_lines(look(Usual(100, 200))))
    assert lines == ["gw1: a.py::test_runs[] in teardown for 3.00 s, usually 100 ms"]


def test_rows_of_a_run_that_has_not_begun() -> None:
    rows = run_rows([], state="pending", started_ms=None, ended_ms=None)
    results: list[ResultRow] = []
    attempts: list[AttemptRow] = []
    view = live_view(rows.run, results, attempts, START, lambda _test_id: None)
    assert (view.elapsed_ms, view.counts.total) == (None, 0)

"""A report as lines: what every reader gets to see."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core.rows import AttemptRow, ResultRow, SourceRow, WarningRow
from semantest_recorder.reports.aggregate import RunRows, add_details, aggregate
from semantest_recorder.reports.run_reasons import DECIDED_ELSEWHERE
from semantest_recorder.reports.terminal import TerminalOptions, report_lines, shown_tests
from tests.recorder.reports.rows_of import MAIN, RUN, START, attempt_row, result_row, run_rows

_HOME = "/home/dev/project"


def lines(rows: RunRows, payload: dict[str, Any] | None = None, **options: Any) -> list[str]:
    settings = TerminalOptions(cwd=_HOME, **options)
    report = aggregate(rows, explained_only=True)
    add_details(report, lambda _source, _seq: payload, shown_tests(report, settings))
    return [line.plain for line in report_lines(report, settings)]


def test_header_of_a_run_with_everything() -> None:
    sources = [
        SourceRow(f"{RUN}.{worker}", RUN, RUN, worker, state="ended") for worker in ("main", "gw0", "gw1", "shipper")
    ]
    rows = run_rows(
        [result_row("a.py::t", "passed")],
        state="failed",
        sources=sources,
        name="nightly",
        stopped_early=True,
        stop_reason="after 1 failure",
        labels={"job": "unit"},
        deselected=3,
    )
    rows.run.facts["distribution"] = {"workers": 2, "mode": "load"}
    head, reason, facts, counts = lines(rows)[:4]
    assert head == f"Run {RUN} (nightly): failed, stopped early"
    assert reason == "  after 1 failure"
    assert "took 1.50 s, branch main @ 0123456789 (with changes), 2 workers (load), exit code 1, job=unit" in facts
    assert counts == "  1 test: 1 passed (3 deselected)"


def test_gaps_and_dead_processes_are_in_the_header() -> None:
    dead = SourceRow(f"{RUN}.gw0", RUN, RUN, "gw0", state="crashed", crash_reason="signal 9")
    shown = lines(run_rows([result_row("a.py::t", "lost")], gaps=2, sources=[dead]))
    assert "  worker gw0: signal 9" in shown
    assert shown[0].endswith(": failed, 2 records missing")
    assert "!!! 2 records MISSING !!!" in shown


def test_the_same_attempt_of_two_sources_shows_the_one_that_decided() -> None:
    results = [result_row("a.py::t", "failed", attempts=1)]
    attempts = [
        attempt_row("a.py::t", "failed", worker="gw0", source=f"{RUN}.gw0", error_message="on gw0", started_ms=START),
        attempt_row("a.py::t", "passed", worker="gw1", source=f"{RUN}.gw1", started_ms=START + 5),
    ]
    shown = lines(run_rows(results, attempts))
    assert "  on gw0" in shown
    assert "  attempts: failed 10 ms on gw0, passed 10 ms on gw1" in shown


def test_a_test_that_runs_now_says_where_and_for_how_long() -> None:
    attempts = [attempt_row("a.py::t", None, worker="gw3", started_ms=START)]
    shown = lines(run_rows([result_row("a.py::t", "running")], attempts, state="running"), now_ms=START + 2500)
    assert "  a.py::t on gw3, in call, for 2.50 s" in shown


def test_only_the_end_of_a_long_traceback_and_message() -> None:
    stack = "\n".join(f"line {number}" for number in range(40))
    rows = run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed", error_message="boom")])
    shown = lines(rows, {"error": {"message": "boom", "stack": stack}})
    assert shown[shown.index("  | ... 28 lines left out") + 1] == "  | line 28"
    assert "  | line 39" in shown
    assert "  boom" in shown
    message = "\n".join(f"part {number}" for number in range(40))
    rows = run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed", error_message=message)])
    assert "  ... 28 more lines" in lines(rows)


def test_a_file_that_no_process_could_collect_is_one_error_without_a_made_up_place() -> None:
    results = [result_row("broken.py", "error", None, line=None)]
    attempts = [
        attempt_row(
            "broken.py", "error", phase="collect", error_message="ImportError: nope", worker=worker, source=worker
        )
        for worker in ("main", "gw0", "gw1")
    ]
    shown = lines(run_rows(results, attempts))
    assert "ERROR broken.py  (could not be collected)" in shown
    assert shown[shown.index("ERROR broken.py  (could not be collected)") + 1] == "  ImportError: nope"
    assert not any("attempts:" in line or "unknown place" in line for line in shown)


def test_a_strict_xpass_is_told_in_words() -> None:
    attempts = [attempt_row("a.py::t", "failed", error_message="[XPASS(strict)] bug 7")]
    shown = lines(run_rows([result_row("a.py::t", "failed")], attempts), {"error": {"stack": "[XPASS(strict)] bug 7"}})
    assert "  it passed, but it is marked as failing (xfail, strict): bug 7" in shown
    assert not any("unknown place" in line or "XPASS" in line for line in shown)


def test_the_subtests_that_failed_are_named() -> None:
    row = attempt_row("a.py::t", "failed", subtests_failed=2, subtests_passed=3, detail_seq=9)
    event = {"testId": "a.py::t", "outcome": "failed", "description": "[part] (i=1)", "error": {"message": "no\nmore"}}
    report = aggregate(run_rows([result_row("a.py::t", "failed")], [row]))
    add_details(report, lambda _source, seq: event if seq == 8 else None, ["a.py::t"])
    shown = [line.plain for line in report_lines(report, TerminalOptions(cwd=_HOME))]
    assert shown[shown.index("  subtests: 3 passed, 2 failed") + 1] == "    [part] (i=1): no"


def test_the_place_of_a_failure_is_told_once() -> None:
    error: dict[str, Any] = {
        "error_message": "assert 1 == 2",
        "error_type": "AssertionError",
        "error_file": "a.py",
        "error_line": 4,
    }
    rows = run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed", **error)])
    stack = "    def t():\n>       assert 1 == 2\nE       assert 1 == 2\n\na.py:4: AssertionError"
    shown = lines(rows, {"error": {"message": "assert 1 == 2", "stack": stack}})
    at = shown.index("  a.py:4: AssertionError")
    assert shown[at + 1 : at + 5] == ["  |     def t():", "  | >       assert 1 == 2", "  | E       assert 1 == 2", ""]


def test_the_death_of_pytest_is_told_once() -> None:
    dead = SourceRow(MAIN, RUN, RUN, "main", state="crashed", crash_reason="process 42 died", crash_test_id="a.py::t")
    attempts = [attempt_row("a.py::t", "crashed", reason="process 42 died", last_output="last words")]
    why = "pytest (process 42) died while a.py::t was running"
    results = [result_row("a.py::t", "crashed"), result_row("a.py::u", "not_run", 1, reason="process 42 died")]
    shown = lines(run_rows(results, attempts, state="interrupted", stop_reason=why, sources=[dead], exit_code=None))
    assert shown[:2] == [f"Run {RUN}: interrupted", f"  {why}"]
    assert sum("42" in line for line in shown) == 1
    assert "Crashed (1)" in shown
    assert "CRASHED a.py::t  (in call, after 10 ms)" in shown
    assert "1 planned test in 1 suite did not run" in shown


def test_a_worker_that_died_is_told_under_its_test_with_every_attempt_and_is_not_counted_twice() -> None:
    sources = [SourceRow(MAIN, RUN, RUN, "main", state="ended")]
    attempts = []
    for number, worker in enumerate(("gw0", "gw2"), 1):
        dead: dict[str, Any] = {
            "state": "crashed",
            "crash_reason": f"process {number} died",
            "crash_test_id": "a.py::t",
        }
        sources.append(SourceRow(worker, RUN, RUN, worker, **dead))
        attempts.append(
            attempt_row("a.py::t", "crashed", number, worker=worker, source=worker, reason=f"process {number} died")
        )
    sources += [SourceRow(worker, RUN, RUN, worker, state="ended") for worker in ("gw1", "gw3")]
    rows = run_rows([result_row("a.py::t", "crashed", worker="gw2")], attempts, sources=sources)
    rows.run.facts["distribution"] = {"workers": 2, "mode": "load"}
    shown = lines(rows)
    assert "2 workers (load)" in shown[1]
    assert "CRASHED a.py::t  (worker gw2, in call, after 20 ms)" in shown
    assert "  attempts: crashed 10 ms on gw0, crashed 20 ms on gw2" in shown
    assert [line for line in shown if "died" in line] == ["  process 2 died"]


def test_a_worker_that_died_with_no_test_is_told_in_the_head() -> None:
    dead = SourceRow("gw0", RUN, RUN, "gw0", state="crashed", crash_reason="process 7 died while no test was running")
    shown = lines(run_rows([result_row("a.py::t", "passed")], state="passed", sources=[dead]))
    assert "  worker gw0: process 7 died while no test was running" in shown


@pytest.mark.parametrize(
    ("state", "title"), [("crashed", "Crashed (1)"), ("timeout", "Timed out (1)"), ("interrupted", "Interrupted (1)")]
)
def test_each_way_not_to_end_has_a_title_of_its_own(state: str, title: str) -> None:
    attempts = [attempt_row("a.py::t", state, reason="KeyboardInterrupt")]
    shown = lines(run_rows([result_row("a.py::t", state)], attempts, stop_reason="KeyboardInterrupt"))
    assert title in shown
    assert not any("KeyboardInterrupt" in line for line in shown), "the head says Ctrl-C"
    assert shown[1] == "  Ctrl-C"


def test_a_test_out_of_time_shows_its_limit() -> None:
    attempts = [attempt_row("a.py::t", "timeout", timeout_ms=1000.0, duration_ms=1050.0)]
    shown = lines(run_rows([result_row("a.py::t", "timeout")], attempts))
    assert "TIMEOUT a.py::t  (in call, after 1.05 s, limit 1.00 s)" in shown


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (5, "  no test ran"),
        (4, "  pytest could not use its command line or its settings, see its output"),
        (3, "  pytest had an internal error, see its output"),
        (1, f"  {DECIDED_ELSEWHERE}"),
    ],
)
def test_a_run_that_failed_without_a_bad_test_says_why(code: int, reason: str) -> None:
    rows = [result_row("a.py::t", "passed")] if code == 1 else []
    assert lines(run_rows(rows, exit_code=code))[1] == reason
    bad = run_rows([result_row("a.py::t", "failed")], exit_code=code)
    assert lines(bad)[1].startswith("  started")


def test_what_matters_is_not_dimmed_by_what_stands_before_it() -> None:
    error = {"error": {"message": "boom", "stack": "    def t():\n>       x\nE       boom"}}
    results = [result_row("a.py::t", "failed"), result_row("a.py::u", "passed", 1, duration_ms=900.0)]
    rows = run_rows(results, [attempt_row("a.py::t", "failed", number) for number in (1, 2)])
    report = aggregate(rows)
    add_details(report, lambda _source, _seq: error, ["a.py::t"])
    for line in report_lines(report, TerminalOptions(cwd=_HOME)):
        if any(text in line.plain for text in ("boom", ">       x", "a.py", "failed")) and "..." not in line.plain:
            assert "dim" not in str(line.style), line.plain


def test_warnings_are_named_the_most_frequent_first_and_a_few_only() -> None:
    warnings = [WarningRow(MAIN, number, "UserWarning", f"part {number}") for number in range(6)]
    warnings.append(WarningRow(MAIN, 9, "DeprecationWarning", "old\nthing", file="a.py", line=4, count=3))
    shown = lines(run_rows([], warnings=warnings, state="passed"))
    at = shown.index("Warnings (9)")
    assert shown[at + 1 : at + 3] == ["  DeprecationWarning: old thing  (a.py:4)  3 times", "  UserWarning: part 0"]
    assert shown[at + 6 :] == ["  ... and 2 more kinds (semantest report --json has them all)"]


def test_a_warning_that_is_cut_says_so() -> None:
    shown = lines(run_rows([], warnings=[WarningRow(MAIN, 1, "UserWarning", "word " * 100)], state="passed"))
    (line,) = [line for line in shown if "UserWarning" in line]
    assert line == f"  UserWarning: {('word ' * 100)[:300]}..."


def test_only_slow_tests_are_the_slowest() -> None:
    quick = [result_row(f"a.py::t{number}", "passed", number, duration_ms=99.0) for number in range(3)]
    quick.append(result_row("a.py::killed", "crashed", 4, duration_ms=900.0))  # its time stands above
    assert "Slowest" not in lines(run_rows(quick, state="passed"))
    shown = lines(run_rows([*quick, result_row("a.py::slow", "passed", 3, duration_ms=100.0)], state="passed"))
    assert shown[shown.index("Slowest") + 1 :][:2] == ["      100 ms  a.py::slow", ""]


_IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_TEXTS = st.none() | st.text(max_size=40)


@st.composite
def runs(draw: st.DrawFn) -> RunRows:
    """Rows with any states, attempts and texts."""
    results: list[ResultRow] = []
    attempts: list[AttemptRow] = []
    for at, name in enumerate(draw(st.lists(_IDS, max_size=6, unique=True))):
        test_id = f"a.py::{name}"
        state = draw(st.sampled_from([*FINAL_STATES, "running", "pending"]))
        results.append(result_row(test_id, state, draw(st.sampled_from([at, None])), reason=draw(_TEXTS)))
        for number in range(draw(st.integers(0, 2))):
            outcome = draw(st.sampled_from([None, "passed", "failed", "error", "crashed", "skipped"]))
            more = {"error_message": draw(_TEXTS), "reason": draw(_TEXTS), "last_output": draw(_TEXTS)}
            attempts.append(attempt_row(test_id, outcome, number + 1, **more))
    state = draw(st.sampled_from(["running", "passed", "failed", "interrupted", "cancelled"]))
    return run_rows(results, attempts, state=state, stop_reason=draw(_TEXTS), name=draw(_TEXTS))


@given(runs(), st.text(max_size=30), st.booleans(), st.booleans())
def test_any_run_can_be_shown_and_every_test_that_is_not_green_is_named(
    rows: RunRows, text: str, output: bool, failures_only: bool
) -> None:
    payload = {"error": {"stack": text, "message": text}, "logs": [{"stream": text, "text": text}]}
    shown = "\n".join(lines(rows, payload, limit=0, output=output, failures_only=failures_only))
    assert not set(shown) & set("\x1b\x9b\x07\x00\u202e")
    named = sum(
        shown.count(f"\n{word} ") for word in ("FAILED", "ERROR", "CRASHED", "TIMEOUT", "INTERRUPTED", "  LOST")
    )
    assert named >= sum(row.state in BAD_STATES - {"not_run"} for row in rows.results)

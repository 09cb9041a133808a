"""A report as lines: what every reader gets to see."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core.rows import AttemptRow, ResultRow, SourceRow, WarningRow
from semantest_recorder.reports.aggregate import RunRows, add_details, aggregate
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
    head, facts, counts = lines(rows)[:3]
    assert head == f"Run {RUN} (nightly): failed, stopped early (after 1 failure)"
    assert "took 1.50 s, branch main @ 0123456789 (with changes), 2 workers (load), exit code 1, job=unit" in facts
    assert counts == "  1 test: 1 passed (3 deselected)"


def test_gaps_and_dead_processes_are_in_the_header() -> None:
    dead = SourceRow(f"{RUN}.gw0", RUN, RUN, "gw0", state="crashed", crash_reason="signal 9")
    shown = lines(run_rows([result_row("a.py::t", "lost")], gaps=2, sources=[dead]))
    assert "  process gw0 died: signal 9" in shown
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
    assert "  | ... 28 lines above" in shown
    assert shown[shown.index("  | ... 28 lines above") + 1] == "  | line 28"
    assert "  | line 39" in shown
    assert "  boom" in shown
    message = "\n".join(f"part {number}" for number in range(40))
    rows = run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed", error_message=message)])
    assert "  ... 28 more lines" in lines(rows)


def test_a_file_that_cannot_be_collected() -> None:
    results = [result_row("broken.py", "error", None, line=None)]
    attempts = [attempt_row("broken.py", "error", phase="collect", error_message="ImportError: nope")]
    shown = lines(run_rows(results, attempts))
    assert any(line.startswith("ERROR broken.py") for line in shown)
    assert "  ImportError: nope" in shown


def test_warnings_are_counted() -> None:
    rows = run_rows(
        [], warnings=[WarningRow(MAIN, 1, "W", "x", count=3), WarningRow(MAIN, 2, "W", "y")], state="passed"
    )
    assert "4 warnings (2 different)" in lines(rows)


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

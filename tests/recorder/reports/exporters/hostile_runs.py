"""Runs in which anything may stand."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core import rows
from semantest_recorder.core.payloads import Quarantine
from semantest_recorder.core.rows import AttemptRow, ResultRow, WarningRow
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun
from semantest_recorder.reports.report import Report
from tests.recorder.reports.rows_of import MAIN, attempt_row, result_row, run_rows

_PIECES = st.sampled_from(
    [
        *("]]>", "<script>", "</details>", "```", "`", "&#10;", "=1+1", "@SUM(A1)", "'", '"', ",", "|", "::", "[", "]"),
        *("\r\n", "\n", "\t", "\x00", "\x1b[31m", "\ufffe", "\U0001f600", "\u202e", "\x85", ".py", "/", "#2", "é"),
    ]
)
TEXTS = st.lists(_PIECES | st.text(max_size=4), max_size=6).map("".join)
_NUMBERS = st.floats(0, 1e7, allow_nan=False) | st.just(0.0)
_PHASES = st.sampled_from(["setup", "call", "teardown", None])


@st.composite
def hostile_tests(draw: st.DrawFn) -> tuple[ResultRow, list[AttemptRow]]:
    """A test and attempts with which it can be in its state."""
    # The space keeps ids apart from those that differ by an ordinal only, which pytest's own formats do not tell.
    test_id = f"{draw(TEXTS)}::t{draw(TEXTS)} "
    state = draw(st.sampled_from([*FINAL_STATES, "running", "pending"]))
    bad = draw(st.lists(st.sampled_from(["failed", "error", "crashed", "timeout"]), max_size=2))
    outcomes: list[str | None] = []
    if state == "flaky":
        outcomes = [*(bad or ["failed"]), "passed"]
    elif state in BAD_STATES - {"not_run"}:
        outcomes = [*bad, state]
    elif state not in ("not_run", "pending"):
        outcomes = [None if state == "running" else state]
    times = [draw(_NUMBERS) for _ in outcomes]
    attempts = [
        attempt_row(
            test_id,
            outcome,
            number,
            phase=draw(_PHASES),
            duration_ms=times[number - 1],
            call_ms=draw(st.sampled_from([None, times[number - 1]])) if outcome is not None else None,
            error_message=draw(st.none() | TEXTS),
            error_type=draw(st.none() | TEXTS),
            error_file=draw(st.none() | TEXTS),
            error_line=draw(st.none() | st.integers(0, 9)),
            reason=draw(st.none() | TEXTS),
            last_output=draw(st.none() | TEXTS),
            subtests_failed=draw(st.integers(0, 1)),
        )
        for number, outcome in enumerate(outcomes, 1)
    ]
    result = result_row(
        test_id,
        state,
        attempts=len(attempts),
        duration_ms=attempts[-1].duration_ms if attempts else 0.0,
        worker=draw(st.none() | TEXTS),
        file=draw(st.none() | TEXTS),
        line=draw(st.none() | st.integers(0, 99)),
        reason=draw(st.none() | TEXTS),
        markers=tuple(draw(st.lists(TEXTS, max_size=2))),
    )
    if draw(st.booleans()):
        told = Quarantine(draw(TEXTS), draw(TEXTS), draw(TEXTS), draw(TEXTS), draw(st.none() | TEXTS))
        result.quarantine = msgspec.json.encode(told).decode()
        result.forgiven = state in ("failed", "error", "timeout") and draw(st.booleans())
    return result, attempts


def hostile_report(made: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str]) -> Report:
    found = run_rows(
        [result for result, _ in made],
        [attempt for _, attempts in made for attempt in attempts],
        warnings=[WarningRow(MAIN, 1, texts[0], texts[1], file=texts[2], line=1, count=10**15)],
        labels={texts[0]: texts[1]},
        stop_reason=texts[2],
        quarantined=sum(result.forgiven for result, _ in made),
        context={"git": {"branch": texts[1], "commit": texts[2]}},
    )
    return aggregate(found)


def hostile_run(report: Report, texts: list[str]) -> ExportedRun:
    """With details of every attempt, and events of every test."""
    error: dict[str, Any] = {"message": texts[0], "stack": texts[1], "teardown": {"stack": texts[2]}}
    details = {
        "error": error,
        "logs": [{"stream": stream, "phase": "call", "text": texts[1]} for stream in ("stdout", "stderr", texts[0])],
        "userProperties": [[texts[2], texts[0]]],
    }
    events: dict[int, dict[str, Any]] = {
        1001: {"stepId": "1", "name": texts[0]},
        1002: {"stepId": "1", "status": texts[1], "error": texts[2]},
        1003: {"message": texts[1], "level": texts[2]},
        1004: {"name": texts[2], "path": texts[0], "mediaType": texts[1]},
    }
    kinds = {1001: "test/step/start", 1002: "test/step/end", 1003: "test/log", 1004: "test/screenshot"}

    def events_of(test_id: str) -> list[rows.TestEventRow]:
        return [rows.TestEventRow(test_id, MAIN, seq, 1, kind) for seq, kind in kinds.items()]

    return ExportedRun(report, lambda _, seq: events.get(seq, details), events_of, lambda _: None)

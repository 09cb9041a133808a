"""Whatever stands in a report, every format is well formed and tells the same of each test."""

from __future__ import annotations

import io
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core import rows
from semantest_recorder.core.payloads import Quarantine
from semantest_recorder.core.rows import AttemptRow, ResultRow, WarningRow
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun, ExportOptions
from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.reports.exporters.markdown import page
from semantest_recorder.reports.report import Report, TestInfo
from tests.recorder.reports.exporters.agreement import assert_agrees, name_in, ran
from tests.recorder.reports.exporters.readers import READERS, Seen, read_csv, read_markdown
from tests.recorder.reports.rows_of import MAIN, attempt_row, result_row, run_rows

_PIECES = st.sampled_from(
    [
        *("]]>", "<script>", "</details>", "```", "`", "&#10;", "=1+1", "@SUM(A1)", "'", '"', ",", "|", "::", "[", "]"),
        *("\r\n", "\n", "\t", "\x00", "\x1b[31m", "\ufffe", "\U0001f600", "\u202e", "\x85", ".py", "/", "#2", "é"),
    ]
)
_TEXTS = st.lists(_PIECES | st.text(max_size=4), max_size=6).map("".join)
_NUMBERS = st.floats(0, 1e7, allow_nan=False) | st.just(0.0)
_PHASES = st.sampled_from(["setup", "call", "teardown", None])


@st.composite
def _tests(draw: st.DrawFn) -> tuple[ResultRow, list[AttemptRow]]:
    """A test and attempts with which it can be in its state."""
    # The space keeps ids apart from those that differ by an ordinal only, which pytest's own formats do not tell.
    test_id = f"{draw(_TEXTS)}::t{draw(_TEXTS)} "
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
            error_message=draw(st.none() | _TEXTS),
            error_type=draw(st.none() | _TEXTS),
            error_file=draw(st.none() | _TEXTS),
            error_line=draw(st.none() | st.integers(0, 9)),
            reason=draw(st.none() | _TEXTS),
            last_output=draw(st.none() | _TEXTS),
            subtests_failed=draw(st.integers(0, 1)),
        )
        for number, outcome in enumerate(outcomes, 1)
    ]
    result = result_row(
        test_id,
        state,
        attempts=len(attempts),
        duration_ms=attempts[-1].duration_ms if attempts else 0.0,
        worker=draw(st.none() | _TEXTS),
        file=draw(st.none() | _TEXTS),
        line=draw(st.none() | st.integers(0, 99)),
        reason=draw(st.none() | _TEXTS),
        markers=tuple(draw(st.lists(_TEXTS, max_size=2))),
    )
    if draw(st.booleans()):
        told = Quarantine(draw(_TEXTS), draw(_TEXTS), draw(_TEXTS), draw(_TEXTS), draw(st.none() | _TEXTS))
        result.quarantine = msgspec.json.encode(told).decode()
        result.forgiven = state in ("failed", "error", "timeout") and draw(st.booleans())
    return result, attempts


def _report(tests: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str]) -> Report:
    found = run_rows(
        [result for result, _ in tests],
        [attempt for _, attempts in tests for attempt in attempts],
        warnings=[WarningRow(MAIN, 1, texts[0], texts[1], file=texts[2], line=1, count=10**15)],
        labels={texts[0]: texts[1]},
        stop_reason=texts[2],
        quarantined=sum(result.forgiven for result, _ in tests),
        context={"git": {"branch": texts[1], "commit": texts[2]}},
    )
    return aggregate(found)


def _run(report: Report, texts: list[str]) -> ExportedRun:
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


_RUN_ITSELF = {"junit": "semantest::run", "ctrf": "semantest.run"}


def _told(kind: str, seen: list[Seen], report: Report) -> list[TestInfo]:
    """The tests that the format can tell of; the run itself stands in JUnit XML and CTRF when no test is red."""
    known = {name_in(kind, test) for test in report.tests}
    seen[:] = [one for one in seen if one.name in known or one.name != _RUN_ITSELF.get(kind)]
    return ran(report) if kind == "reportlog" else report.tests


@settings(max_examples=50)
@given(
    st.lists(_tests(), max_size=4, unique_by=lambda test: test[0].test_id),
    st.lists(_TEXTS, min_size=3, max_size=3),
)
def test_every_format_tells_every_test(tests: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str]) -> None:
    report = _report(tests, texts)
    for name, read in READERS.items():
        stream = io.BytesIO()
        FORMATS[name].exporter()([_run(report, texts)], stream, ExportOptions())
        kind = name.removesuffix("-xunit1")
        names = [name_in(kind, test) for test in report.tests]
        seen = read(stream.getvalue())
        expected = _told(kind, seen, report)
        if len(set(names)) == len(names):  # a format may have one spelling for two characters
            assert_agrees(kind, seen, expected)
        else:
            assert len(seen) == len(expected)
    attempts = io.BytesIO()
    FORMATS["csv"].exporter()([_run(report, texts)], attempts, ExportOptions(rows="attempts"))
    assert len(read_csv(attempts.getvalue())) == sum(len(test.attempts_detail) for test in report.tests)


@settings(max_examples=50)
@given(
    st.lists(_tests(), max_size=4, unique_by=lambda test: test[0].test_id),
    st.lists(_TEXTS, min_size=3, max_size=3),
    st.integers(1_000, 4_000),
)
def test_a_page_is_text_and_keeps_within_its_bytes(
    tests: list[tuple[ResultRow, list[AttemptRow]]], texts: list[str], most: int
) -> None:
    report = _report(tests, texts)
    stream = io.BytesIO()
    FORMATS["markdown"].exporter()([_run(report, texts)], stream, ExportOptions())
    assert read_markdown(stream.getvalue())["tests"] == len(report.tests)
    cut = page(_run(report, texts), most)
    assert len(cut) <= most
    assert cut == stream.getvalue() or b"more left out here" in cut
    assert page(_run(report, texts)) == stream.getvalue()


def test_no_path_that_a_client_says_is_a_file_to_publish() -> None:
    """Jenkins' attachments plugin publishes what stands in ``[[ATTACHMENT|path]]``."""
    report = aggregate(run_rows([result_row("a.py::t", "failed")], [attempt_row("a.py::t", "failed")]))
    files = {
        1: {"name": "p", "path": "/etc/passwd", "sha256": "1" * 64},
        2: {"name": "k", "sha256": "0" * 64, "mediaType": "text/plain"},
    }
    kinds = {1: "test/screenshot", 2: "test/attachment"}
    events = [rows.TestEventRow("a.py::t", MAIN, seq, 1, kind) for seq, kind in kinds.items()]
    stream = io.BytesIO()
    run = ExportedRun(report, lambda _, seq: files.get(seq), lambda _: events, lambda sha256: f"/kept/{sha256}")
    FORMATS["junit"].exporter()([run], stream, ExportOptions())
    assert f"[[ATTACHMENT|/kept/{'0' * 64}]]" in stream.getvalue().decode()
    assert b"passwd" not in stream.getvalue()

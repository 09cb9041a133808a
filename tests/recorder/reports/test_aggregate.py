"""Rows to report: one attempt model, counts that add up, JSON that fits its schema."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.core.rows import RunRow, SourceRow, SuiteRow, WarningRow
from semantest_recorder.reports.aggregate import RunRows, add_details, aggregate, bad_tests, count_states, iso_time
from semantest_recorder.reports.json_schema import json_schema
from semantest_recorder.reports.report import Report
from tests.recorder.reports.rows_of import MAIN, RUN, START, attempt_row, result_row, run_rows
from tests.recorder.reports.schema_check import violations

_STATES = st.sampled_from([*FINAL_STATES, "pending", "running"])


def as_json(report: Report) -> Any:
    return msgspec.json.decode(msgspec.json.encode(report))


def full_report() -> Report:
    flaky = "tests/test_b.py::TestCart::test_total[1-eur]"
    rows = run_rows(
        [
            result_row("tests/test_a.py::test_one", "passed", 0),
            result_row(flaky, "flaky", 1, attempts=2, markers=["slow"]),
            result_row("tests/test_c.py", "error", None, reason="cannot be imported"),
        ],
        [
            attempt_row("tests/test_a.py::test_one", "passed"),
            attempt_row(flaky, "passed", 2, setup_ms=1.0, call_ms=2.0, teardown_ms=3.0),
            attempt_row(flaky, "failed", 1, error_type="AssertionError", error_message="assert 1 == 2"),
            attempt_row("tests/test_c.py", "error", 1, error_message="ImportError: no module"),
        ],
        suites=[SuiteRow("tests/test_a.py", 1, 1, 1, 0, 0, START, START + 10)],
        warnings=[WarningRow(MAIN, 9, "UserWarning", "careful", flaky, "tests/test_b.py", 4, 2)],
        sources=[SourceRow(MAIN, RUN, RUN, "main", "ended", 42, "box", 1, START, START + 1500)],
        labels={"job": "unit"},
    )
    return aggregate(rows)


def test_the_json_is_the_documented_one() -> None:
    report = full_report()
    add_details(report, lambda _source, _seq: _PAYLOAD, [test.id for test in bad_tests(report)])
    schema = json_schema("report")
    assert violations(as_json(report), {"$ref": schema["$ref"]}, schema["$defs"]) == []
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_the_schema_check_finds_what_is_wrong() -> None:
    schema = json_schema("report")
    wrong = as_json(full_report())
    wrong["run"]["exitCode"] = "1"
    del wrong["counts"]
    wrong["tests"][0]["colour"] = "red"
    found = "\n".join(violations(wrong, {"$ref": schema["$ref"]}, schema["$defs"]))
    assert "exitCode" in found
    assert "counts is missing" in found
    assert "colour is not in the schema" in found


def test_names_and_values_of_the_public_form() -> None:
    data = as_json(full_report())
    assert data["schema"] == 1
    run = data["run"]
    assert (run["id"], run["state"], run["exitCode"], run["durationMs"]) == (RUN, "failed", 1, 1500.0)
    assert (run["startedAt"], run["startedMs"]) == ("2026-11-21T09:30:00.000Z", START)
    assert run["git"]["branch"] == "main"
    assert run["labels"] == {"job": "unit"}
    assert data["counts"] == dict.fromkeys(FINAL_STATES, 0) | {"total": 3, "passed": 1, "flaky": 1, "error": 1}
    flaky = data["tests"][1]
    assert (flaky["suite"], flaky["name"], flaky["params"]) == (
        "tests/test_b.py::TestCart",
        "test_total[1-eur]",
        "1-eur",
    )
    assert [attempt["outcome"] for attempt in flaky["attemptsDetail"]] == ["failed", "passed"]
    assert flaky["error"]["message"] == "assert 1 == 2"
    assert flaky["attemptsDetail"][1]["phases"] == {"setup": 1.0, "call": 2.0, "teardown": 3.0}
    assert data["tests"][0]["error"] is None


_PAYLOAD: dict[str, Any] = {
    "error": {"message": "assert 1 == 2", "stack": "def test():\nE  assert 1 == 2", "phase": "call"},
    "logs": [{"stream": "stdout", "phase": "call", "text": "hello", "dropped": 3}, {"stream": "log"}, "nonsense"],
    "userProperties": [["build", 7], ["short"], None],
}


def test_details_come_from_the_events_of_the_chosen_tests_only() -> None:
    asked: list[tuple[str, int]] = []

    def payload_of(source: str, seq: int) -> dict[str, Any]:
        asked.append((source, seq))
        return _PAYLOAD

    report = full_report()
    flaky = report.tests[1]
    add_details(report, payload_of, [flaky.id])
    assert asked == [(MAIN, 2), (MAIN, 3)]
    first = flaky.attempts_detail[0]
    assert first.error is not None
    assert first.error.stack == "def test():\nE  assert 1 == 2"
    assert [(output.stream, output.text, output.dropped) for output in first.output] == [("stdout", "hello", 3)]
    assert first.user_properties == [["build", 7]]
    assert report.tests[0].attempts_detail[0].output == []


@pytest.mark.parametrize(
    "payload", [{}, {"error": 3, "logs": {}, "userProperties": "x"}, {"error": {"stack": []}}, None]
)
def test_a_payload_of_a_wrong_shape_adds_nothing(payload: dict[str, Any] | None) -> None:
    report = full_report()
    add_details(report, lambda _source, _seq: payload, [report.tests[1].id])
    first = report.tests[1].attempts_detail[0]
    assert first.error is not None
    assert (first.error.message, first.error.stack, first.output) == ("assert 1 == 2", None, [])


def test_an_event_that_was_pruned_leaves_the_row() -> None:
    report = full_report()
    add_details(report, lambda _source, _seq: None, [report.tests[1].id])
    assert report.tests[1].error is not None


def test_failed_subtests_are_read_from_the_events_of_their_own_attempt() -> None:
    name = "a.py::t"
    start = {"testId": name, "attempt": 2, "testName": "t"}
    failed = {"testId": name, "outcome": "failed", "error": {"message": "assert 1"}}
    passed = {"testId": name, "outcome": "passed", "description": "(i=1)"}
    events: dict[int, dict[str, Any]] = dict(
        enumerate(
            [failed | {"description": "(before)"}, start, failed | {"description": "(i=0)"}, passed, {"category": "W"}],
            start=3,
        )
    )
    row = attempt_row(name, "failed", 2, subtests_failed=1, subtests_passed=1, detail_seq=8)
    report = aggregate(run_rows([result_row(name, "failed")], [row]))
    add_details(report, lambda source, seq: events.get(seq, {}) if source == MAIN else None, [name])
    counts = report.tests[0].attempts_detail[0].subtests
    assert [(failure.description, failure.message) for failure in counts.failures] == [("(i=0)", "assert 1")]


def test_tests_come_in_plan_order_and_unplanned_ones_last() -> None:
    rows = run_rows(
        [result_row("c.py", "error", None), result_row("b.py::t", "passed", 1), result_row("a.py::t", "passed")]
    )
    assert [test.id for test in aggregate(rows).tests] == ["a.py::t", "b.py::t", "c.py"]


@given(st.lists(_STATES), st.booleans())
def test_counts_add_up_in_every_mix_of_states(states: list[str], closed: bool) -> None:
    counts = msgspec.to_builtins(count_states(states, closed=closed))
    total = counts.pop("total")
    assert total == sum(counts.values()) == len(states)
    assert ("running" in counts) == (not closed or bool({"pending", "running"} & set(states)))


def test_an_empty_run_has_a_report() -> None:
    report = aggregate(RunRows(RunRow("r"), [], [], [], [], []))
    assert (report.counts.total, report.run.started_at, report.run.duration_ms) == (0, None, None)
    schema = json_schema("report")
    assert violations(as_json(report), {"$ref": schema["$ref"]}, schema["$defs"]) == []


def test_facts_stand_in_for_a_context_that_never_came() -> None:
    rows = run_rows([], context={}, facts={"pythonVersion": "3.11.2", "pytestVersion": "9.2", "args": "wrong"})
    run = aggregate(rows).run
    assert run.environment == {"python": "3.11.2", "packages": {"pytest": "9.2"}}
    assert (run.git, run.args) == (None, [])


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0.0, "1970-01-01T00:00:00.000Z"), (START + 0.7, "2026-11-21T09:30:00.000Z"), (None, None), (1e300, None)],
)
def test_iso_time(milliseconds: float | None, text: str | None) -> None:
    assert iso_time(milliseconds) == text

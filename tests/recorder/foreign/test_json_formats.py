"""pytest-reportlog, pytest-json-report, CTRF and Allure: shapes beyond those that the tools write here and now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.foreign.allure import read_allure
from semantest_recorder.foreign.ctrf import read_ctrf
from semantest_recorder.foreign.errors import UnreadableError
from semantest_recorder.foreign.formats import format_of
from semantest_recorder.foreign.json_report import read_json_report
from semantest_recorder.foreign.reportlog import read_reportlog
from tests.recorder.foreign.test_junit import SAMPLES, TEN, told

CTRF = (SAMPLES / "playwright.ctrf.json").read_bytes()


def test_ctrf() -> None:
    run = read_ctrf(CTRF)
    assert told(run) == [
        ("tests/cart.spec.ts::cart.spec.ts > cart::adds", [("passed", 1200.0)]),
        ("tests/pay.spec.ts::pay::pays", [("failed", 250.0), ("passed", 300.0)]),
        ("cart::later", [("skipped", 0.0)]),
        ("cart::odd", [("error", 1.0)]),
    ]
    assert (run.tool, run.name, run.branch, run.commit) == ("playwright", "browser tests", "main", "1a2b3c4")
    assert (run.started_ms, run.planned_total) == (TEN, 4)


def test_a_document_that_is_cut_off_gives_its_whole_tests() -> None:
    run = read_ctrf(CTRF[: CTRF.index(b'{"name": "later"')])
    assert [test.test_id for test in run.tests][1] == "tests/pay.spec.ts::pay::pays"
    assert run.problem is not None
    with pytest.raises(UnreadableError, match="no JSON"):
        read_ctrf(CTRF[:40])


def line(kind: str, **fields: Any) -> str:
    return json.dumps({"$report_type": kind, **fields})


def report(node_id: str, when: str, outcome: str = "passed", **more: Any) -> str:
    location = [node_id.partition("::")[0], 2, "test"]
    fields = {"nodeid": node_id, "when": when, "outcome": outcome, "location": location, "duration": 0.001}
    return line("TestReport", **{**fields, "longrepr": None, "sections": [], "user_properties": [], **more})


def test_a_log_without_its_end_is_of_a_run_that_died() -> None:
    lines = [
        line("SessionStart", pytest_version="9.0"),
        report("a.py::test_1", "setup"),
        report("a.py::test_1", "call"),
    ]
    lines += [report("a.py::test_1", "teardown"), report("a.py::test_2", "setup")]
    run = read_reportlog("\n".join(lines).encode() + b'\n{"$report_type": "TestRep')
    assert told(run) == [("a.py::test_1", [("passed", 3.0)]), ("a.py::test_2", [(None, 1.0)])]
    assert (run.unfinished is not None, run.problem is not None and run.problem.line) == (True, 6)


def test_a_log_with_reruns_expected_failures_and_skips() -> None:
    lines = [
        report("a.py::test_r", "setup"),
        report(
            "a.py::test_r", "call", "rerun", longrepr={"reprcrash": {"path": "/w/a.py", "lineno": 4, "message": "m"}}
        ),
        report("a.py::test_r", "teardown"),
        *(report("a.py::test_r", when) for when in ("setup", "call", "teardown")),
        report("a.py::test_x", "setup"),
        report("a.py::test_x", "call", "skipped", wasxfail="a bug"),
        report("a.py::test_x", "teardown"),
        report("a.py::test_s", "setup", "skipped", longrepr=["/w/a.py", 3, "Skipped: not today"]),
        report("a.py::test_s", "teardown"),
        line("CollectReport", nodeid="b.py", outcome="failed", longrepr="E   ImportError: no"),
        line("SessionFinish", exitstatus=1),
    ]
    run = read_reportlog("\n".join(lines).encode())
    assert [(name, [one[0] for one in attempts]) for name, attempts in told(run)] == [
        ("a.py::test_r", ["failed", "passed"]),
        ("a.py::test_x", ["xfailed"]),
        ("a.py::test_s", ["skipped"]),
        ("b.py", ["error"]),
    ]
    failure = run.tests[0].attempts[0].failure
    assert failure is not None
    assert (failure.file, failure.line) == ("a.py", 4)
    assert [test.attempts[-1].reason for test in run.tests] == [None, "a bug", "not today", None]
    assert (run.exit_code, run.unfinished) == (1, None)


def test_a_log_beside_quarantine_has_failures_that_look_like_expected_ones() -> None:
    entry = {"entry": "a.py", "reason": "r", "owner": "o", "expires": "2026-12-20"}
    known: dict[str, Any] = {"semantest_quarantine": entry}
    away: dict[str, Any] = {**known, "semantest_forgiven": True, "outcome": "skipped", "wasxfail": "in quarantine: r"}
    lines = [
        report("a.py::test_call", "setup", **known),
        report("a.py::test_call", "call", **away),
        report("a.py::test_call", "teardown", **known),
        report("a.py::test_shared", "call", **away),
        report("a.py::test_shared", "teardown", "failed"),
        report("a.py::test_parts", "setup", **known),
        line("SubtestReport", nodeid="a.py::test_parts", **away),
        report("a.py::test_parts", "call", **known),
        report("a.py::test_parts", "teardown", **known),
    ]
    run = read_reportlog("\n".join(lines).encode())
    assert [[(one.outcome, one.forgiven) for one in test.attempts] for test in run.tests] == [
        [("failed", True)],
        [("failed", False)],
        [("failed", True)],
    ]
    assert [(test.quarantine is not None, test.is_bad) for test in run.tests] == [
        (True, False),
        (True, True),
        (True, False),
    ]


def test_a_test_whose_worker_died_crashed() -> None:
    died = report("a.py::test_1", "???", "failed", longrepr="worker 'gw0' crashed", location=["a.py", None, "a.py"])
    lines = [report("a.py::test_1", "setup"), died, line("SessionFinish", exitstatus=1)]
    for told_lines in (lines, lines[1:]):
        (test,) = read_reportlog("\n".join(told_lines).encode()).tests
        (attempt,) = test.attempts
        assert (attempt.outcome, attempt.failure and attempt.failure.message) == ("crashed", "worker 'gw0' crashed")


@pytest.mark.parametrize("retries", [{}, {"retries": 1}])
def test_retries_of_ctrf_need_no_number(retries: dict[str, int]) -> None:
    retry = {"attempt": 1, "status": "failed", "message": "first"}
    test = {"name": "a", "status": "passed", "duration": 1, "flaky": True, "retryAttempts": [retry], **retries}
    (found,) = read_ctrf(json.dumps({"results": {"tests": [test]}}).encode()).tests
    assert [one.outcome for one in found.attempts] == ["failed", "passed"]
    assert found.attempts[0].failure is not None
    assert found.attempts[0].failure.message == "first"


def test_tests_that_a_json_report_lacks_are_planned() -> None:
    """Under xdist it loses tests while its summary says that none failed."""
    names = ["a.py::test_1", "a.py::test_2", "a.py::test_3"]
    collector = {
        "nodeid": "a.py",
        "outcome": "passed",
        "result": [{"nodeid": one, "type": "Function"} for one in names],
    }
    test = {"nodeid": "a.py::test_1", "outcome": "passed", "call": {"duration": 0.5, "outcome": "passed"}}
    document = {"created": TEN / 1000, "duration": 2.0, "exitcode": 0, "collectors": [collector], "tests": [test]}
    run = read_json_report(json.dumps({**document, "summary": {"collected": 3}}).encode())
    assert (run.planned, run.planned_total, run.stopped_early) == (names, 3, False)
    assert run.started_ms == TEN - 2000
    assert told(run) == [("a.py::test_1", [("passed", 500.0)])]


def result(number: int, history: str, status: str, **more: Any) -> dict[str, Any]:
    return {"uuid": str(number), "historyId": history, "fullName": "com.example.CartTest.adds", "name": "adds",
            "status": status, "start": TEN + number * 100, "stop": TEN + number * 100 + 50, **more}  # fmt: skip


def test_allure_attempts_attachments_and_a_damaged_result(tmp_path: Path) -> None:
    attachments = [{"name": "page", "source": "p.png", "type": "image/png"}]
    attachments.append({"name": "secret", "source": "../p.png", "type": "image/png"})
    labels = [{"name": "testClass", "value": "com.example.CartTest"}, {"name": "framework", "value": "junit5"}]
    files = {
        "2-result.json": json.dumps(result(2, "h", "passed", labels=labels)).encode(),
        "1-result.json": json.dumps(result(1, "h", "broken", labels=labels, attachments=attachments)).encode(),
        "3-result.json": b'{"uuid": ',
        "p.png": b"picture",
        "../p.png": b"not this one",
    }
    run = read_allure(files)
    assert told(run) == [("com.example.CartTest::adds", [("error", 50.0), ("passed", 50.0)])]
    assert [(one.name, one.data) for one in run.tests[0].attempts[0].attachments] == [
        ("page", b"picture"),
        ("secret", None),
    ]
    assert run.problem is not None
    assert run.problem.reason.startswith("3-result.json")
    with pytest.raises(UnreadableError):
        read_allure({"3-result.json": b"{"})


def test_allure_results_without_a_history_are_told_apart_by_their_parameters() -> None:
    results = [
        result(number, "", status, parameters=[{"name": "x", "value": str(number)}])
        for number, status in ((1, "failed"), (2, "passed"))
    ]
    run = read_allure({f"{one['uuid']}-result.json": json.dumps(one).encode() for one in results})
    assert [[attempt.outcome for attempt in test.attempts] for test in run.tests] == [["failed"], ["passed"]]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xef\xbb\xbf  <testsuites/>", "junit"),
        ("<testsuite/>".encode("utf-16"), "junit"),
        (CTRF, "ctrf"),
        (b'{"created": 1, "tests": []}', "pytest-json-report"),
        (b'{"pytest_version": "9", "$report_type": "SessionStart"}\n', "reportlog"),
    ],
)
def test_formats_are_known_by_their_content(data: bytes, name: str) -> None:
    assert format_of(data) == name


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"[1]", b'{"a": 1}'])
def test_what_is_of_no_format_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        format_of(data)

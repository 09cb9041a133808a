"""Reads what exporters wrote, by the rules of each format and nothing of ours; what a format cannot say is ``None``.

JUnit: the elements and attributes of Jenkins' ``junit-10.xsd`` (and ``properties``, which pytest writes, too), those of
Surefire's schema in its order. CTRF: its JSON schema of specification 0.0.0. The others: what their plugins write.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zlib
from collections.abc import Callable
from typing import Any, Literal
from xml.etree import ElementTree as ET

import msgspec


class Seen(msgspec.Struct, frozen=True):
    """One test as a file tells it. ``state`` in the words of the format; ``milliseconds`` to its precision."""

    name: str
    state: str
    attempts: int | None
    milliseconds: float | None


# -- JUnit XML ---------------------------------------------------------------------------------------------------------

_RETRIES = ("rerunFailure", "flakyFailure", "rerunError", "flakyError")
_ORDER = [
    *("properties", "failure", "rerunFailure", "flakyFailure", "skipped", "error", "rerunError", "flakyError"),
    *("system-out", "system-err"),
]
_TIME = r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?"
_CASE = {"classname", "name", "time"}
_SUITE = {"name", "errors", "failures", "skipped", "tests", "time", "timestamp", "hostname"}


def read_junit(data: bytes, places: tuple[str, ...] = ()) -> list[Seen]:
    """The tests of all suites, by ``classname::name``; ``places``: attributes of a test case beside the usual ones."""
    root = ET.fromstring(data)
    assert root.tag == "testsuites"
    seen = []
    for suite in root:
        assert suite.tag == "testsuite"
        assert set(suite.attrib) <= _SUITE
        assert {"name", "errors", "failures", "skipped", "tests"} <= set(suite.attrib)
        assert re.fullmatch(_TIME, suite.attrib["time"])
        cases = [child for child in suite if child.tag != "properties"]
        assert [child.tag for child in suite].count("properties") <= 1
        assert all(case.tag == "testcase" for case in cases)
        for attribute, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(case.find(tag) is not None for case in cases)
        assert int(suite.attrib["tests"]) == len(cases)
        seen += [_case(case, places) for case in cases]
    return seen


def _case(case: ET.Element, places: tuple[str, ...]) -> Seen:
    assert _CASE <= set(case.attrib) <= _CASE | set(places)
    assert re.fullmatch(_TIME, case.attrib["time"])
    tags = [child.tag for child in case]
    assert tags == sorted(tags, key=_ORDER.index)
    assert all(tags.count(tag) <= 1 for tag in ("skipped", "error", "failure", "system-out", "system-err"))
    for child in case:
        if child.tag in _RETRIES:
            assert "type" in child.attrib
            inner = [part.tag for part in child]
            assert inner[0] == "stackTrace"
            assert inner[1:] in ([], ["system-out"], ["system-err"], ["system-out", "system-err"])
        elif child.tag in ("failure", "error", "skipped"):
            assert set(child.attrib) == {"message", "type"}
            assert len(child) == 0
    ends = [child for child in case if child.tag in ("failure", "error", "skipped")]
    assert len(ends) <= 1
    retries = [tag for tag in tags if tag in _RETRIES]
    assert not (ends and any(tag.startswith("flaky") for tag in retries))
    state = "flaky" if any(tag.startswith("flaky") for tag in retries) else "passed"
    if ends:
        state = ends[0].attrib["type"] if ends[0].tag == "skipped" else ends[0].tag
    name = f"{case.attrib['classname']}::{case.attrib['name']}"
    return Seen(name, state, 1 + len(retries), float(case.attrib["time"]) * 1000)


# -- CTRF --------------------------------------------------------------------------------------------------------------

_Status = Literal["passed", "failed", "skipped", "pending", "other"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Unknown fields are an error everywhere but in ``extra``."""


class _Tool(_Strict):
    name: str
    version: str = ""


class _Summary(_Strict):
    tests: int
    passed: int
    failed: int
    skipped: int
    pending: int
    other: int
    start: int
    stop: int
    flaky: int
    suites: int
    duration: int
    extra: dict[str, Any]


class _Attachment(_Strict):
    name: str
    content_type: str
    path: str


class _Step(_Strict):
    name: str
    status: _Status
    extra: dict[str, Any] = {}


class _Told(_Strict, kw_only=True):
    """What a test and a retry may have alike."""

    status: _Status
    message: str = ""
    trace: str = ""
    line: int = 0
    stdout: list[str] = []
    stderr: list[str] = []
    start: int = 0
    stop: int = 0
    attachments: list[_Attachment] = []
    extra: dict[str, Any] = {}


class _Retry(_Told, kw_only=True):
    attempt: int
    duration: int = 0


class _Test(_Told, kw_only=True):
    id: str
    name: str
    duration: int
    suite: list[str]
    raw_status: str
    tags: list[str] = []
    file_path: str = ""
    retries: int = 0
    retry_attempts: list[_Retry] = []
    flaky: bool = False
    thread_id: str = ""
    parameters: dict[str, Any] = {}
    steps: list[_Step] = []


class _Environment(_Strict):
    report_name: str = ""
    build_id: str = ""
    build_url: str = ""
    repository_url: str = ""
    commit: str = ""
    branch_name: str = ""
    os_platform: str = ""
    extra: dict[str, Any] = {}


class _Results(_Strict):
    tool: _Tool
    summary: _Summary
    tests: list[_Test]
    environment: _Environment


class _Ctrf(_Strict):
    report_format: Literal["CTRF"]
    spec_version: str
    results: _Results
    report_id: str
    generated_by: str
    timestamp: str = ""


def read_ctrf(data: bytes) -> list[Seen]:
    report = msgspec.json.decode(data, type=_Ctrf)
    assert re.fullmatch(r"\d+\.\d+\.\d+", report.spec_version)
    tests, summary = report.results.tests, report.results.summary
    for status in ("passed", "failed", "skipped", "pending", "other"):
        assert getattr(summary, status) == sum(test.status == status for test in tests)
    assert summary.tests == len(tests)
    assert summary.flaky == sum(test.flaky for test in tests)
    assert len({test.id for test in tests}) == len(tests)
    for test in tests:
        assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", test.id)
        assert test.retries == len(test.retry_attempts)
        assert not test.flaky or (test.status == "passed" and test.retries)
        assert test.name
        assert test.suite
    return [Seen(test.name, test.raw_status, 1 + test.retries, test.duration) for test in tests]


# -- tables, pages, JSON -----------------------------------------------------------------------------------------------


def read_csv(data: bytes) -> list[dict[str, str]]:
    """The rows; without the apostrophe that makes a cell a text."""
    text = data.decode()
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        assert None not in row
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return [{key: cell.removeprefix("'") for key, cell in row.items()} for row in rows]


def read_csv_tests(data: bytes) -> list[Seen]:
    return [Seen(row["test"], row["state"], int(row["attempts"]), float(row["duration_ms"])) for row in read_csv(data)]


def read_json(data: bytes) -> list[Seen]:
    tests = json.loads(data)["tests"]
    return [Seen(test["id"], test["state"], test["attempts"], test["durationMs"]) for test in tests]


_PHASES = ("setup", "call", "teardown")


def read_json_report(data: bytes) -> list[Seen]:
    """The tests in the words of the plugin, and files that could not be collected as ``error``."""
    document = json.loads(data)
    assert list(document) == [
        *("created", "duration", "exitcode", "root", "environment", "summary", "collectors", "tests", "warnings")
    ]
    summary, tests = document["summary"], document["tests"]
    assert summary["total"] == len(tests)
    for outcome, number in summary.items():
        if outcome not in ("total", "collected", "rerun", "deselected"):
            assert number == sum(test["outcome"] == outcome for test in tests)
    seen = []
    for test in tests:
        stages = [test[phase] for phase in _PHASES if phase in test]
        assert all(stage["outcome"] in ("passed", "failed", "skipped") for stage in stages)
        if test["outcome"] in ("failed", "error"):
            assert any(stage["outcome"] == "failed" and stage["longrepr"] for stage in stages) or not stages
        took = sum(stage["duration"] for stage in stages) * 1000 if stages else None
        seen.append(Seen(test["nodeid"], test["outcome"], None, took))
    for collector in document["collectors"]:
        assert collector["outcome"] == "failed"
        seen.append(Seen(collector["nodeid"], "error", None, None))
    return seen


def read_reportlog(data: bytes) -> list[Seen]:
    """The tests that ran, judged by their last attempt as pytest's terminal judges, with how many there were."""
    lines = [json.loads(line) for line in data.decode().splitlines()]
    assert lines[0]["$report_type"] == "SessionStart"
    assert lines[-1]["$report_type"] == "SessionFinish"
    attempts: dict[str, list[list[dict[str, Any]]]] = {}
    seen = []
    for line in lines[1:-1]:
        if line["$report_type"] == "CollectReport":
            assert line["outcome"] == "failed"
            seen.append(Seen(line["nodeid"], "error", 1, 0.0))
        elif line["$report_type"] == "TestReport":
            own = attempts.setdefault(line["nodeid"], [])
            if not own or _PHASES.index(line["when"]) <= _PHASES.index(own[-1][-1]["when"]):
                own.append([])
            own[-1].append(line)
    for name, own in attempts.items():
        took = sum(report["duration"] for report in own[-1]) * 1000
        seen.append(Seen(name, _judged(own), len(own), took))
    return seen


def _judged(attempts: list[list[dict[str, Any]]]) -> str:
    assert all(any(report["outcome"] == "rerun" for report in reports) for reports in attempts[:-1])
    for report in attempts[-1]:
        if report["outcome"] == "failed":
            return "failed" if report["when"] == "call" else "error"
        if report["outcome"] == "skipped":
            return "xfailed" if "wasxfail" in report else "skipped"
        if "wasxfail" in report:
            return "xpassed"
    return "passed" if any(report["when"] == "call" for report in attempts[-1]) else "running"


def read_markdown(data: bytes) -> dict[str, int]:
    """The table of states of a page; its code, whose fences must be closed, says nothing."""
    text = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", data.decode())
    assert "```" not in re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "<" not in re.sub(r"(?s)(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|</?details>|</?summary>", "", text)
    header, _, numbers = (line for line in text.splitlines() if line.startswith("|"))
    names = [cell.strip() for cell in header.strip("|").split("|")]
    return dict(zip(names, (int(cell) for cell in numbers.strip("|").split("|")), strict=True))


# -- HTML --------------------------------------------------------------------------------------------------------------


def read_html(data: bytes) -> list[Seen]:
    """The tests in the page's index (docs/design/html-report.md), by their ids."""
    (block,) = re.findall(rb'<script type="application/octet-stream" data-index="0">([\w+/=]*)</script>', data)
    index = json.loads(zlib.decompress(base64.b64decode(block, validate=True)))
    tests, states = index["tests"], [state["name"] for state in index["states"]]
    columns = zip(tests["id"], tests["state"], tests["attempts"], tests["ms"], strict=True)
    return [Seen(name, states[state], attempts, ms) for name, state, attempts, ms in columns]


READERS: dict[str, Callable[[bytes], list[Seen]]] = {
    "html": read_html,
    "json": read_json,
    "junit": read_junit,
    "junit-xunit1": lambda data: read_junit(data, ("file", "line")),
    "ctrf": read_ctrf,
    "csv": read_csv_tests,
    "pytest-json-report": read_json_report,
    "reportlog": read_reportlog,
}

"""Every format tells the same of a run as its report, read back by readers that know the format only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import pytest

from semantest_recorder.reports.exporters.formats import FORMATS
from semantest_recorder.reports.report import Report
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, Recording, small_run
from tests.recorder.reports.exporters.agreement import assert_agrees, ran
from tests.recorder.reports.exporters.readers import READERS, read_csv, read_ctrf, read_junit, read_markdown

SUITE = """
import pytest, sys

def test_ok(record_property):
    record_property("ticket", "A-1")
    print("said", file=sys.stderr)

def test_bad():
    print("before")
    assert 1 == 2

@pytest.fixture
def broken():
    raise RuntimeError("no database")

def test_setup_error(broken):
    pass

@pytest.fixture
def untidy():
    yield
    raise RuntimeError("left behind")

def test_teardown_error(untidy):
    pass

def test_both(untidy):
    assert 0, "first"

@pytest.mark.skip(reason="not here")
def test_skip():
    pass

def test_skip_inside():
    pytest.skip("inside")

@pytest.mark.xfail(reason="known")
def test_xfail():
    assert 0

@pytest.mark.xfail
def test_xpass():
    pass

@pytest.mark.xfail(strict=True, reason="mended")
def test_strict():
    pass

@pytest.mark.parametrize("value", ["a::b", "1/2", "x[y]"])
def test_params(value):
    pass

class TestOuter:
    class TestInner:
        def test_inside(self):
            pass

def test_subtests(subtests):
    with subtests.test("one"):
        pass
    with subtests.test("two"):
        assert 0
"""
RETRIED = """
import os, pathlib

def test_flaky():
    seen = pathlib.Path("flaky.seen")
    if not seen.exists():
        seen.write_text("")
        assert 0, "the first time"

def test_kill():
    print("last words", flush=True)
    os.kill(os.getpid(), 9)
"""
#: What pytest 9.1 has of its own.
_OWN_SUBTESTS = hasattr(pytest, "Subtests")


class Recorded(NamedTuple):
    project: Project
    #: pytest's own JUnit XML of the same run.
    own: bytes
    report: Report


def _suite(project: Project) -> None:
    text = SUITE if _OWN_SUBTESTS else SUITE.partition("def test_subtests")[0]
    project.write("test_shapes.py", text)
    project.write("test_broken.py", "import nothing_of_this_name\n")


@pytest.fixture
def plain(project: Project) -> Recorded:
    """One process, no retries, and pytest's own file beside it."""
    _suite(project)
    project.pytest("--continue-on-collection-errors", "--junitxml=own.xml", "-o", "junit_family=xunit1")
    report = msgspec.json.decode(project.semantest("report", "--json").stdout, type=Report)
    return Recorded(project, (project.root / "own.xml").read_bytes(), report)


@pytest.fixture
def retried(project: Project) -> Recorded:
    """Two workers, one retry, a worker that dies twice."""
    _suite(project)
    project.write("test_retried.py", RETRIED)
    project.pytest("--continue-on-collection-errors", "-n", "2", "--semantest-retries", "1")
    report = msgspec.json.decode(project.semantest("report", "--json").stdout, type=Report)
    return Recorded(project, b"", report)


def _exported(folder: Path, name: str, *more: str) -> bytes:
    """What is in the file; a line end that stdout is given is not always what it was."""
    path = folder.parent / "exported"
    assert semantest("export", "--directory", folder, "--format", name, "-o", path, *more).code == 0
    return path.read_bytes()


# One test for each recording: workers of xdist would make it once each.


def test_every_format_tells_the_same_of_retries_and_deaths(retried: Recorded) -> None:
    states = {test.state for test in retried.report.tests}
    assert states >= {"passed", "failed", "error", "skipped", "xfailed", "xpassed", "flaky", "crashed"}
    for name, read in READERS.items():
        assert_agrees(name.removesuffix("-xunit1"), read(_exported(retried.project.folder, name)), retried.report.tests)
    _assert_that_a_table_of_attempts_has_each_of_them(retried)
    _assert_that_a_page_has_the_counts_and_what_was_wrong(retried)


def _assert_that_a_table_of_attempts_has_each_of_them(retried: Recorded) -> None:
    rows = read_csv(_exported(retried.project.folder, "csv", "--rows", "attempts"))
    found = sorted((row["test"], int(row["attempt"]), row["outcome"], float(row["duration_ms"])) for row in rows)
    expected = sorted(
        (test.id, attempt.attempt, attempt.outcome, round(attempt.duration_ms, 3))
        for test in retried.report.tests
        for attempt in test.attempts_detail
    )
    assert found == expected


def _assert_that_a_page_has_the_counts_and_what_was_wrong(retried: Recorded) -> None:
    page = _exported(retried.project.folder, "markdown")
    counts = {name: number for name, number in msgspec.to_builtins(retried.report.counts).items() if number}
    assert read_markdown(page) == {"tests": counts.pop("total")} | counts
    text = page.decode()
    assert all(f"`{test.id}`" in text for test in retried.report.tests if test.state in ("failed", "crashed", "flaky"))
    assert "last words" in text


def test_junit_is_what_pytest_writes_but_one_case_for_a_test_and_types_of_errors(plain: Recorded) -> None:
    ours = ET.fromstring(_exported(plain.project.folder, "junit-xunit1"))
    own = ET.fromstring(plain.own)
    for case in [*own.iter("testcase")]:
        if case.attrib["name"] == "test_both" and case.find("error") is not None:
            next(own.iter("testsuite")).remove(case)  # pytest writes it twice: the call's failure, the teardown's error
    theirs = {_address(case): _said(case) for case in own.iter("testcase")}
    assert {_address(case): _said(case) for case in ours.iter("testcase")} == theirs
    suite, own_suite = next(ours.iter("testsuite")), next(own.iter("testsuite"))
    assert set(own_suite.attrib) == set(suite.attrib)
    cases = list(ours.iter("testcase"))
    assert int(suite.attrib["tests"]) == len(cases) == len(plain.report.tests)
    assert_agrees("junit", read_junit(_exported(plain.project.folder, "junit")), plain.report.tests)
    property_ = next(case for case in cases if case.attrib["name"] == "test_ok").find("properties/property")
    assert property_ is not None
    assert property_.attrib == {"name": "ticket", "value": "A-1"}


def _address(case: ET.Element) -> tuple[str | None, ...]:
    return tuple(case.attrib.get(name) for name in ("classname", "name", "file", "line"))


def _said(case: ET.Element) -> tuple[str | None, ...]:
    """How the case ended and the message, of which pytest's releases cut long ones differently."""
    found = case.find("failure")
    found = case.find("error") if found is None else found
    found = case.find("skipped") if found is None else found
    if found is None:
        return ("passed",)
    kind = found.attrib.get("type") if found.tag == "skipped" else None
    return (found.tag, kind, found.attrib["message"].splitlines()[0])


@pytest.fixture
def broken_off(tmp_path: Path) -> Path:
    """A run that ended normally with a test of which only the start is there, and one that was never reached."""
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_ok", "a.py::test_lost", "a.py::test_after")
    recording.test("a.py::test_ok")
    recording.begin("a.py::test_lost")
    recording.end(2, stoppedEarly=True, stopReason="stopping")
    recording.store(tmp_path / ".semantest")
    return tmp_path / ".semantest"


def test_every_format_tells_of_what_is_lost_or_was_not_reached(broken_off: Path) -> None:
    report = msgspec.json.decode(semantest("report", "--directory", broken_off, "--json").out, type=Report)
    assert [test.state for test in report.tests] == ["passed", "lost", "not_run"]
    for name, read in READERS.items():
        seen = read(_exported(broken_off, name))
        assert_agrees(name.removesuffix("-xunit1"), seen, ran(report) if name == "reportlog" else report.tests)


def test_a_run_that_is_red_without_a_bad_test_is_red_in_every_format(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.add("main", "run/plan", {"tests": ["a.py::test_ok"], "offset": 0, "total": 1, "deselected": 2})
    recording.test("a.py::test_ok")
    recording.add("main", "journal/gap", {"reason": "damaged"})
    recording.end(0)
    folder = tmp_path / ".semantest"
    recording.store(folder)
    found = _exported(folder, "junit")
    assert [one.state for one in read_junit(found)] == ["passed", "error"]
    assert b"the run is not green: failed, 1 record missing" in found
    assert [one.state for one in read_ctrf(_exported(folder, "ctrf"))] == ["passed", "semantest.run"]
    assert json.loads(_exported(folder, "ctrf"))["results"]["summary"]["failed"] == 1
    assert json.loads(_exported(folder, "reportlog").splitlines()[-1])["exitstatus"] == 1
    document = json.loads(_exported(folder, "pytest-json-report"))
    assert (document["exitcode"], document["summary"]["collected"]) == (1, 3)  # the plugin counts deselected ones
    for rows in ("tests", "attempts"):
        assert [row["run_state"] for row in read_csv(_exported(folder, "csv", "--rows", rows))] == ["failed"]
    assert b"# \xe2\x9d\x8c Run" in _exported(folder, "markdown")


def test_suites_of_several_runs_stand_in_one_file(tmp_path: Path) -> None:
    other = "20261121-100000-0a0a0a"
    small_run().store(tmp_path / ".semantest")
    small_run(other).store(tmp_path / ".semantest")
    names = ("--run", RUN, "--run", other)
    found = _exported(tmp_path / ".semantest", "junit", *names)
    assert len(read_junit(found)) == 8
    assert [suite.attrib["name"] for suite in ET.fromstring(found)] == [RUN, other]
    rows = read_csv(_exported(tmp_path / ".semantest", "csv", *names))
    assert [row["run"] for row in rows] == [RUN] * 4 + [other] * 4


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.several])
def test_formats_for_one_run_refuse_two_in_one_file(tmp_path: Path, name: str) -> None:
    small_run().store(tmp_path / ".semantest")
    small_run("20261121-100000-0a0a0a").store(tmp_path / ".semantest")
    names = ("--run", RUN, "--run", "last")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", name, *names)
    assert said.code == 2
    assert "holds one run, and 2 are asked for: give -o a name with {run} in it" in said.err


def test_rows_are_for_tables(tmp_path: Path) -> None:
    small_run().store(tmp_path / ".semantest")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", "json", "--rows", "tests")
    assert said.code == 2
    assert "--rows is for --format csv" in said.err


def test_attachments_are_for_pages(tmp_path: Path) -> None:
    small_run().store(tmp_path / ".semantest")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", "csv", "--attachments", "none")
    assert said.code == 2
    assert "--attachments is for --format html" in said.err

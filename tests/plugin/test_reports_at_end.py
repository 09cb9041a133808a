"""``--semantest-report``: the files are there when pytest ends, or a line says why not; the tests notice nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pytest_semantest.protocol import report_formats
from semantest_recorder.reports.exporters.formats import FORMATS
from tests.plugin.conftest import KEPT, Record_

SECONDS = 60.0
TWO = """
    def test_ok(): pass
    def test_bad(): assert 0
"""


def test_pytest_knows_the_formats_of_export() -> None:
    assert list(report_formats.FORMATS) == list(FORMATS)


def test_reports_come_from_the_journals_where_nothing_was_shipped(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(TWO)
    pytester.makeini("[pytest]\nsemantest_report =\n    junit:from_ini/report.xml")
    pytester.mkdir("below")
    found = record("--semantest-report", "ctrf:here/{run}.json")
    assert found.result.ret == 1
    (path,) = (pytester.path / "here").iterdir()
    assert json.loads(path.read_bytes())["results"]["summary"]["failed"] == 1
    found.result.stdout.fnmatch_lines([f"semantest: ctrf report: here/{path.name}"])
    assert not (pytester.path / "from_ini").exists()  # the command line wins
    assert record().result.ret == 1
    (suite,) = ET.parse(pytester.path / "from_ini" / "report.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("2", "1", "0")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("juint:a.xml", "there is no format 'juint': did you mean 'junit'?"),
        ("junit", "'junit' names no file: give FORMAT:PATH"),
        ("junit:.", ". is a folder: name a file in it"),
    ],
)
def test_a_wrong_value_ends_pytest_before_any_test(
    pytester: pytest.Pytester, record: Record_, value: str, told: str
) -> None:
    pytester.makepyfile("open('imported', 'w').close()")
    found = record("--semantest-report", value)
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in found.result.stderr.str()
    assert not (pytester.path / "imported").exists()


def test_a_report_that_cannot_be_written_is_told_and_strictly_a_failure(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile("def test_ok(): pass")
    (pytester.path / "file").touch()
    found = record("--semantest-report", "csv:file/a.csv")
    assert found.result.ret == 0
    found.result.stdout.fnmatch_lines(["semantest: csv report: file/a.csv is not written: *"])
    assert record("--semantest-report", "csv:file/a.csv", "--semantest-strict").result.ret == 1


def test_ctrl_c_and_a_reader_without_patience_keep_no_report_from_being_written(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile(
        """
        import os, signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests may ignore it
        def test_stop(): os.kill(os.getpid(), signal.SIGINT)
        def test_after(): pass
        """
    )
    options = ("--semantest-report", "json:a.json", "--semantest-report-timeout=0")
    found = record(*options, subprocess=True)
    assert found.result.ret == pytest.ExitCode.INTERRUPTED
    found.result.stdout.fnmatch_lines(["semantest: json report: a.json is not there yet, it is still being written"])
    report = json.loads(_content_of(pytester.path / "a.json"))
    assert [test["state"] for test in report["tests"]] == ["interrupted", "not_run"]


def _content_of(path: Path) -> bytes:
    """What is in the file, once it is there: it appears when it is whole."""
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)
    return path.read_bytes()


def test_without_a_recording_the_line_says_so(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_ok(): pass")
    (pytester.path / "file").touch()
    found = record("--semantest-dir", "file/none", "--semantest-report", "csv:a.csv", options=KEPT)
    assert found.result.ret == 0
    found.result.stdout.fnmatch_lines(["semantest: csv report: a.csv is not written: nothing was recorded"])

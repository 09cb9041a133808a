"""``semantest import``: results of other tools become runs that every command knows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.project import Project
from tests.recorder.foreign.test_junit import SAMPLES
from tests.user_environment import user_environment

SUITE = """
    import pytest

    class TestTotal:
        @pytest.mark.parametrize("name", ["plain", "a.b::c/d", "é"])
        def test_sum(self, name):
            assert name != "plain"

    class describe_order:
        def test_ships(self):
            pass

    @pytest.mark.skip(reason="not today")
    def test_skipped():
        pass

    @pytest.mark.xfail(reason="a bug")
    def test_expected():
        assert 0

    @pytest.fixture
    def broken():
        yield
        raise RuntimeError("clean-up")

    def test_twice_bad(broken):
        assert 0

    def test_bad_after(broken):
        pass
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A suite that was recorded, and that wrote JUnit XML of both families while it was."""
    project = Project(tmp_path_factory.mktemp("recorded"))
    (project.root / "pytest.ini").write_text("[pytest]\npython_classes = Test describe_*\n")
    (project.root / "suite").mkdir()
    project.write("suite/test_cart.py", SUITE)
    project.write("suite/test_broken.py", "import nothing_of_that_name")
    project.pytest("--continue-on-collection-errors", "--junitxml=two.xml", "suite")
    command = [sys.executable, "-m", "pytest", "-p", "no:semantest", "-p", "no:cacheprovider", "suite"]
    command += ["--continue-on-collection-errors", "--junitxml=one.xml", "-o", "junit_family=xunit1"]
    subprocess.run(command, cwd=project.root, env=user_environment(), capture_output=True, check=False)
    yield project
    project.close()


def states(report: Any) -> dict[str, str]:
    return {test["id"]: test["state"] for test in report["tests"]}


def imported(said: Said) -> Any:
    assert said.code == 0, said.err
    (run,) = said.json["runs"]
    return run


@pytest.mark.parametrize("name", ["two.xml", "one.xml"])
def test_what_pytest_wrote_joins_what_was_recorded(recorded: Project, name: str) -> None:
    reports = [semantest("report", run["id"], "--json", "--directory", recorded.folder).json for run in runs(recorded)]
    native = next(report for report in reports if report["run"]["origin"] == "pytest")
    run = imported(semantest("import", recorded.root / name, "--json", "--directory", recorded.folder))
    assert run["outcome"] == "imported"
    report = semantest("report", run["run"], "--json", "--directory", recorded.folder).json
    assert states(report) == states(native)
    assert (report["run"]["state"], report["run"]["exitCode"]) == ("failed", 1)
    assert report["run"]["origin"] == "import"
    assert [file["tool"] for file in report["run"]["importedFrom"]] == ["pytest"]
    again = imported(semantest("import", recorded.root / name, "--json", "--directory", recorded.folder))
    assert (again["outcome"], again["run"]) == ("known", run["run"])
    rebuilt = semantest("rebuild", "--check", "--json", "--directory", recorded.folder)
    assert rebuilt.json["differences"] == []


def runs(project: Project) -> Any:
    return semantest("runs", "--json", "--directory", project.folder).json["runs"]


def test_without_a_history_names_are_guessed_and_a_folder_is_made(tmp_path: Path, recorded: Project) -> None:
    copy = tmp_path / "two.xml"
    shutil.copy(recorded.root / "two.xml", copy)
    folder = tmp_path / ".semantest"
    before = semantest("import", copy, "--dry-run", "--json", "--directory", folder)
    assert (before.json["runs"][0]["outcome"], folder.exists()) == ("planned", False)
    options = ("--run-id", "nightly", "--run-name", "night", "--label", "os=linux", "--branch", "main")
    more = ("--commit", "1a2b3c4d5e6f", "--started", "2026-11-20T10:00")
    run = imported(semantest("import", copy, *options, *more, "--json", "--directory", folder))
    assert {**run, "outcome": "planned", "run": "", "session": ""} == {
        **before.json["runs"][0],
        "run": "",
        "session": "",
    }
    report = semantest("report", "nightly", "--json", "--directory", folder).json
    told = report["run"]
    assert (told["name"], told["labels"], told["git"]) == (
        "night",
        {"os": "linux"},
        {"branch": "main", "commit": "1a2b3c4d5e6f"},
    )
    assert told["startedAt"] == "2026-11-20T10:00:00.000Z"
    assert (told["ci"], told["environment"]) == (None, None), "it did not run here"
    assert "suite/test_cart.py::TestTotal::test_sum[a.b::c/d]" in states(report)
    text = semantest("report", "nightly", "--directory", folder).out
    assert f"imported from {copy} (junit of pytest)" in text
    assert "pytest --semantest 'suite/test_cart.py::TestTotal::test_sum[plain]'" in text


def test_files_of_a_matrix_are_judged_file_by_file(tmp_path: Path) -> None:
    good = '<testsuite name="s" timestamp="2026-11-20T10:00:00"><testcase name="t" classname="c" time="1"/></testsuite>'
    bad = good.replace("/></testsuite>", '><failure message="no"/></testcase></testsuite>')
    for name, text in (("linux", good), ("windows", bad)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "junit.xml").write_text(text)
    folder = tmp_path / ".semantest"
    files = [tmp_path / name / "junit.xml" for name in ("linux", "windows")]
    run = imported(semantest("import", *files, "--json", "--directory", folder))
    report = semantest("report", run["run"], "--json", "--directory", folder).json
    (test,) = report["tests"]
    assert (test["state"], test["worker"]) == ("failed", "windows")
    assert {one["worker"]: one["outcome"] for one in test["attemptsDetail"]} == {"linux": "passed", "windows": "failed"}
    each = semantest("import", *files, "--each", "--json", "--directory", folder)
    assert [one["state"] for one in each.json["runs"]] == ["passed", "failed"]


def test_a_folder_of_surefire_with_a_damaged_file(tmp_path: Path) -> None:
    reports = tmp_path / "surefire-reports"
    reports.mkdir()
    whole = (SAMPLES / "surefire.xml").read_bytes()
    (reports / "TEST-a.xml").write_bytes(whole)
    (reports / "TEST-b.xml").write_bytes((SAMPLES / "gradle.xml").read_bytes().partition(b"</failure>")[0])
    (reports / "notes.txt").write_text("no report")
    (reports / "pom.xml").write_text("<project/>")
    (reports / "settings.json").write_text("{}")
    folder = tmp_path / ".semantest"
    refused = semantest("import", reports, "--directory", folder)
    assert (refused.code, folder.exists()) == (1, False)
    assert f"{reports / 'TEST-b.xml'}: line 7: the file ends too early" in refused.err
    assert f"left out: {reports / 'pom.xml'}, {reports / 'settings.json'}" in refused.err
    assert "--partial imports the 6 tests that can be read" in refused.err
    run = imported(semantest("import", reports, "--partial", "--json", "--directory", folder))
    assert (run["state"], run["gaps"], run["counts"]["flaky"]) == ("failed", 1, 1)
    assert (
        states(semantest("report", run["run"], "--json", "--directory", folder).json)[
            "com.example.OrderTest::refunds()"
        ]
        == "lost"
    )


def test_a_file_of_which_nothing_can_be_read_makes_no_green_run(tmp_path: Path) -> None:
    whole, lost = tmp_path / "whole.xml", tmp_path / "lost.xml"
    whole.write_text('<testsuite><testcase classname="a" name="t"/></testsuite>')
    lost.write_bytes(b"")
    names, folder = (whole, lost), tmp_path / ".semantest"
    refused = semantest("import", *names, "--directory", folder)
    assert (refused.code, "--partial imports the 1 test that can be read" in refused.err) == (1, True)
    (run,) = semantest("import", *names, "--partial", "--dry-run", "--json", "--directory", folder).json["runs"]
    assert (run["state"], run["gaps"], run["counts"]["passed"]) == ("failed", 1, 1)
    (alone,) = semantest("import", whole, "--dry-run", "--json", "--directory", folder).json["runs"]
    assert (alone["state"], alone["run"] != run["run"]) == ("passed", True)


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine.xml"
    mine.write_bytes((SAMPLES / "gradle.xml").read_bytes())
    results = tmp_path / "results"
    results.mkdir()
    (results / "link.xml").symlink_to(mine)
    (results / "p.png").symlink_to(mine)
    result = {"name": "t", "status": "failed", "attachments": [{"name": "p", "source": "p.png", "type": "image/png"}]}
    (results / "1-result.json").write_text(json.dumps(result))
    said = semantest("import", results, "--directory", tmp_path / ".semantest")
    assert (said.code, f"{results / 'link.xml'}: it cannot be read: it is a symbolic link" in said.err) == (1, True)
    (results / "link.xml").unlink()
    run = imported(semantest("import", results, "--json", "--directory", tmp_path / ".semantest"))
    assert run["counts"]["failed"] == 1
    assert not (tmp_path / ".semantest" / "artifacts").exists(), "what the link leads to was kept"


def test_a_recorder_elsewhere_has_it_once_and_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes((SAMPLES / "gradle.xml").read_bytes())
    there, here = tmp_path / "there" / ".semantest", tmp_path / "here" / ".semantest"
    run = imported(semantest("import", file, "--json", "--directory", there))
    recorder = json.loads((there / "recorder.json").read_text())
    (tmp_path / "token").write_text(recorder["token"])
    to = ("--url", recorder["url"], "--token-file", tmp_path / "token", "--json", "--directory", here)
    again = semantest("import", file, *to)
    assert (imported(again)["outcome"], imported(again)["run"], again.err) == ("known", run["run"], "")
    other = semantest("import", file, "--label", "os=linux", *to)
    assert (imported(other)["outcome"], "give --run-id for another one" in other.err) == ("known", True)
    assert not (here / "semantest.db").exists()
    assert list((here / "sessions").iterdir()) == [], "nothing waits for ever"
    assert [one["id"] for one in semantest("runs", "--json", "--directory", there).json["runs"]] == [run["run"]]


def test_secrets_are_masked_and_names_are_not(tmp_path: Path) -> None:
    output = "<system-out>password=hunter22 and order-4711</system-out>"
    case = f'<testcase classname="c" name="test_login[password=x]">{output}</testcase>'
    (tmp_path / "a.xml").write_text(f'<testsuite name="s">{case}</testsuite>')
    folder = tmp_path / ".semantest"
    mask = {"SEMANTEST_REDACT": "order-[0-9]+"}
    assert semantest("import", tmp_path / "a.xml", "--directory", folder, env=mask).code == 0
    shown = semantest("show", "c::test_login[password=x]", "--directory", folder).out
    assert "password=[REDACTED] and [REDACTED]" in shown


def test_mistakes_are_told_in_words(tmp_path: Path) -> None:
    folder = ("--directory", tmp_path / ".semantest")
    report = tmp_path / "a.xml"
    report.write_bytes((SAMPLES / "gradle.xml").read_bytes())
    (tmp_path / "empty").mkdir()
    cases: list[tuple[list[str | Path], int, str]] = [
        ([tmp_path / "no.xml"], 3, "does not exist"),
        ([tmp_path / "empty"], 3, "holds no results of tests"),
        ([report, "--format", "junt"], 2, "did you mean 'junit'?"),
        ([report, "--label", "os"], 2, "is no KEY=VALUE"),
        ([report, "--each", "--run-id", "x"], 2, "--each makes several runs"),
        ([report, "--started", "soon"], 2, "is no time"),
        ([report, "--format", "ctrf"], 1, "no JSON from here on"),
    ]
    for arguments, code, words in cases:
        said = semantest("import", *arguments, *folder)
        assert (said.code, words in said.err) == (code, True), (arguments, said)
    assert not (tmp_path / ".semantest").exists()


def test_without_a_recorder_it_waits_and_is_read_all_the_same(tmp_path: Path) -> None:
    report = tmp_path / "a.xml"
    report.write_bytes((SAMPLES / "gradle.xml").read_bytes())
    folder = tmp_path / ".semantest"
    nobody = ("--url", "http://127.0.0.1:9", "--timeout", "0.5")
    said = semantest("import", report, *nobody, "--json", "--directory", folder)
    assert (said.code, said.json["runs"][0]["outcome"]) == (6, "waiting"), said.err
    assert "nothing is lost" in said.err
    run = said.json["runs"][0]["run"]
    assert semantest("recover", "--json", "--directory", folder).json["recovered"][0]["run"] == run
    assert imported(semantest("import", report, "--json", "--directory", folder))["outcome"] == "imported"

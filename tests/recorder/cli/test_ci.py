"""``semantest ci github`` and ``semantest ci gitlab`` over runs that the real writer stored."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from semantest_recorder.reports.badge import KINDS
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import RUN, Recording, green_run, small_run
from tests.recorder.cli.suite_runs import FAILED, PASSED, record_run

_LIMIT = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_run().store(tmp_path / ".semantest")
    return tmp_path / ".semantest"


def github(folder: Path, *arguments: str | Path, summary: Path | None = None) -> Said:
    env = {"GITHUB_STEP_SUMMARY": str(summary)} if summary else {"GITHUB_STEP_SUMMARY": ""}
    return semantest("ci", "github", "--directory", folder, *arguments, env=env)


def test_a_step_gets_its_summary_and_its_annotations(folder: Path, tmp_path: Path) -> None:
    summary = tmp_path / "step.md"
    summary.write_text("what another program said")
    said = github(folder, "--title", "Python `3.13`\n# x", summary=summary)
    assert (said.code, said.err) == (0, "")
    assert [line.split("::")[1].split(" ")[0] for line in said.out.splitlines()] == ["error", "warning"]
    assert said.out.startswith("::error file=a.py,line=4,title=failed%3A test_bad::a.py::test_bad%0Aassert 1 == 2\n")
    before, title, page = summary.read_text().split("\n\n", 2)
    assert before == "what another program said"
    assert title == "# ``Python `3.13` # x``"
    assert page.startswith(f"# ❌ Run `{RUN}`: failed")
    assert "| 4 | 1 | 1 | 1 | 1 |" in page


def test_one_of_both_alone(folder: Path, tmp_path: Path) -> None:
    summary = tmp_path / "step.md"
    assert github(folder, "--show", "summary", summary=summary).out == ""
    size = summary.stat().st_size
    assert "::error" in github(folder, "--show", "annotations", summary=summary).out
    assert summary.stat().st_size == size > 500


def test_without_a_summary_to_append_to_it_is_said(folder: Path) -> None:
    said = github(folder)
    assert (said.code, "::error" in said.out) == (0, True)
    assert said.err == "semantest: no summary: no GITHUB_STEP_SUMMARY is set, and there is no --summary-file\n"
    assert github(folder, "--show", "summary").code == 2


def test_a_summary_that_is_a_pipe_is_waited_for_by_nobody(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert github(folder, summary=tmp_path / "pipe").err.startswith(f"semantest: cannot write the summary {tmp_path}")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert (github(folder, summary=tmp_path / "pipe").code, os.read(reader, 10)) == (1, b"")
    os.close(reader)


def test_a_summary_takes_what_is_left_of_the_step_and_says_what_it_left_out(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    names = [f"a.py::test_{number}" for number in range(300)]
    recording.plan(*names)
    for name in names:
        recording.test(name, "failed")
    recording.end(1)
    recording.store(tmp_path / ".semantest")
    summary = tmp_path / "step.md"
    summary.write_bytes(b"x" * (_LIMIT - 20_000))
    assert github(tmp_path / ".semantest", "--show", "summary", summary=summary).code == 0
    assert _LIMIT - 2000 < summary.stat().st_size <= _LIMIT
    assert "entries more left out here" in summary.read_text()[-200:]
    size = summary.stat().st_size
    said = github(tmp_path / ".semantest", "--show", "summary", summary=summary)
    assert (said.code, summary.stat().st_size) == (0, size)
    assert said.err == f"semantest: no summary: {summary} is full, GitHub shows {_LIMIT} bytes of a step\n"


def test_exit_codes(folder: Path, tmp_path: Path) -> None:
    assert github(folder, "--exit-code").code == 1
    green_run("20261122-093000-a1b2c3", start_ms=1_795_339_800_000.0).store(folder)
    assert github(folder, "--exit-code").code == 0
    assert github(folder, "nothing").code == 3
    said = github(folder, summary=tmp_path / "none" / "step.md")
    assert (said.code, said.err.splitlines()[-1]) == (
        1,
        f"semantest: cannot write the summary {tmp_path}/none/step.md: No such file or directory",
    )


def test_gitlab_gets_a_junit_report_and_metrics(folder: Path, tmp_path: Path) -> None:
    said = semantest("ci", "gitlab", "--directory", folder, "-o", tmp_path / "a" / "b")
    assert said.code == 0
    junit, metrics = (Path(line) for line in said.out.splitlines())
    (suite,) = ET.parse(junit).getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("4", "1")
    assert {case.attrib["file"] for case in suite.iter("testcase")} == {"a.py", "b.py"}
    lines = metrics.read_text().splitlines()
    assert {'semantest_tests{state="flaky"} 1', 'semantest_tests{state="lost"} 0', "semantest_attempts 5"} <= set(lines)
    assert lines[-1] == "# EOF"
    assert semantest("ci", "gitlab", "--directory", folder, "-o", tmp_path / "a", "--exit-code").code == 1
    said = semantest("ci", "gitlab", "--directory", folder, "-o", junit)
    assert (said.code, said.err) == (1, f"semantest: cannot make the folder {junit}: File exists\n")


def test_a_badge_is_of_a_run_or_of_the_last_one_of_a_branch(folder: Path, tmp_path: Path) -> None:
    badge = tmp_path / "badge.svg"
    for kind in KINDS:
        assert semantest("badge", "--directory", folder, "-o", badge, "--kind", kind).code == 0
    record_run(folder, 1, {"a.py::test_ok": PASSED})
    record_run(folder, 2, {"a.py::test_ok": FAILED}, branch="feature")
    for branch, state in (("main", "passed"), ("feature", "failed")):
        assert (
            semantest("badge", "--branch", branch, "--directory", folder, "--format", "shields").json["message"]
            == state
        )
    said = semantest("badge", "--branch", "mian", "--directory", folder)
    assert (said.code, "did you mean main?" in said.err) == (3, True)
    assert semantest("badge", "--directory", folder, "-o", badge).code == 0
    assert ET.parse(badge).getroot().attrib["aria-label"] == "tests: failed"
    said = semantest(
        "badge", RUN, "--directory", folder, "--kind", "flaky", "--format", "shields", "--label", "unstable"
    )
    assert said.json == {"schemaVersion": 1, "label": "unstable", "message": "1", "color": "yellow"}
    assert semantest("badge", "none", "--directory", folder).code == 3
    assert semantest("badge", RUN, "--branch", "main", "--directory", folder).code == 2

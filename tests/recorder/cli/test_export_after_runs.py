"""Exports of real runs: at the end of pytest beside a recorder, and after a pytest that was killed."""

from __future__ import annotations

import json

from tests.recorder.cli.project import Project
from tests.recorder.reports.exporters.readers import read_ctrf, read_junit


def test_reports_of_workers_that_stop_early_are_complete_when_pytest_ends(project: Project) -> None:
    project.write("test_a.py", "def test_bad():\n    assert 0\n\ndef test_after():\n    pass\n")
    reports = ("--semantest-report", "junit:a.xml", "--semantest-report", "ctrf:b.json")
    done = project.pytest("-x", "-n", "1", *reports)
    assert done.returncode == 2  # as xdist ends with -x
    assert "semantest: junit report: a.xml\nsemantest: ctrf report: b.json\n" in done.stdout
    states = [one.state for one in read_junit((project.root / "a.xml").read_bytes())]
    assert states[0] == "failure"
    assert len(states) == 2
    assert len(read_ctrf((project.root / "b.json").read_bytes())) == 2


def test_what_a_killed_pytest_could_not_write_is_exported_later(project: Project) -> None:
    project.write(
        "test_a.py", "import os\n\ndef test_kill():\n    os.kill(os.getpid(), 9)\n\ndef test_b():\n    pass\n"
    )
    assert project.pytest("--semantest-report", "junit:a.xml").returncode == -9
    assert not (project.root / "a.xml").exists()
    done = project.semantest("export", "--format", "junit", "-o", "a.xml")
    assert done.returncode == 0, done.stderr
    assert [one.state for one in read_junit((project.root / "a.xml").read_bytes())] == ["error", "semantest.not_run"]
    shown = json.loads(project.semantest("export", "--format", "json", "--journals").stdout)
    assert [test["state"] for test in shown["tests"]] == ["crashed", "not_run"]

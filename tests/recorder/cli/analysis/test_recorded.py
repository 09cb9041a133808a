"""What real runs of pytest in a real git repository come to: one process after the other, as a user has them."""

from __future__ import annotations

import subprocess

import pytest

from tests.recorder.cli.project import Project

_WHO = {f"GIT_{role}_{what}": f"{role}@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_TESTS = """
    from pathlib import Path

    def test_depends_on_the_machine():
        assert not Path("ignored").exists()

    def test_retried():
        marker = Path("ignored-as-well")
        marker.touch() if not marker.exists() else marker.unlink()
        assert not marker.exists()
"""


def git(project: Project, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=project.root, env=project.environment | _WHO, check=True)


@pytest.fixture
def committed(project: Project) -> Project:
    project.write("test_machine.py", _TESTS)
    project.write(".gitignore", ".semantest/\n__pycache__/\nignored*\n")
    git(project, "init", "--quiet", "--initial-branch=trunk")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=Tests")
    return project


def test_real_runs_of_one_commit(committed: Project) -> None:
    project = committed
    assert project.pytest("--semantest-retries=1").returncode == 0
    (project.root / "ignored").touch()
    assert project.pytest("--semantest-retries=1").returncode == 1
    project.semantest("sync")  # it ends when git was asked, too: pytest does not wait for that
    project.write("test_machine.py", _TESTS + "\n    # changed, and not committed\n")
    assert project.pytest("-k", "depends").returncode == 1
    found = project.json("flaky", "--branch", "trunk")
    told = {test["id"].partition("::")[2]: test for test in found["tests"]}
    assert set(told) == {"test_depends_on_the_machine", "test_retried"}
    machine, retried = told["test_depends_on_the_machine"], told["test_retried"]
    assert (machine["runs"], machine["flakyRuns"], machine["contradicted"]) == (3, 1, 1), "changed files prove nothing"
    assert machine["failingRuns"] == 1
    assert machine["error"]["type"] == "AssertionError"
    assert (retried["runs"], retried["flakyRuns"], retried["retried"], retried["retries"]) == (2, 2, 2, 2)
    lines = project.semantest("slowest", "--by", "suite", "--phase", "call").stdout.splitlines()
    assert lines[3].split()[-2:] == ["3", "test_machine.py"]
    points = project.json("trends")["points"]
    assert [point["counts"]["total"] for point in points] == [2, 2, 1]
    assert points[1]["passRate"] == 0.5
    offered = project.semantest(
        _SEMANTEST_COMPLETE="bash_complete", COMP_WORDS="semantest flaky --branch t", COMP_CWORD="3"
    )
    assert offered.stdout == "plain,trunk\n"

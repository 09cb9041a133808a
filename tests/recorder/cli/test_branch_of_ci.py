"""CI checks a commit out, and no branch: what a job knows of its branch only its variables tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import PASSED, record_run, run_id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ci") / ".semantest"
    record_run(folder, 1, {"a.py::test_a": PASSED}, branch="trunk", on_ci=True, commit="a" * 40)
    record_run(folder, 2, {"a.py::test_a": PASSED}, branch="trunk", on_ci=True, commit="b" * 40, with_git=False)
    return folder


@pytest.mark.parametrize(("run", "commit"), [(1, "a" * 40), (2, "b" * 40)], ids=["git has the commit", "only CI has"])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["report"], "branch trunk @ {short}"),
        (["export", "--format", "markdown", "--run"], "branch `trunk`, commit `{commit}`"),
        (["export", "--format", "junit", "--run"], 'name="semantest.branch" value="trunk"'),
        (["export", "--format", "junit", "--run"], 'name="semantest.commit" value="{commit}"'),
    ],
    ids=["report", "markdown", "junit: branch", "junit: commit"],
)
def test_a_report_has_branch_and_commit(folder: Path, run: int, commit: str, command: list[str], said: str) -> None:
    told = semantest(*command, run_id(run), "--directory", folder)
    assert told.code == 0, told.err
    assert said.format(commit=commit, short=commit[:10]) in told.out


def test_the_list_of_runs_has_them(folder: Path) -> None:
    lines = semantest("runs", "--directory", folder).out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["trunk", "trunk"]
    found = semantest("runs", "--directory", folder, "--json").json["runs"]
    assert [(one["branch"], one["commit"]) for one in found] == [("trunk", "b" * 40), ("trunk", "a" * 40)]

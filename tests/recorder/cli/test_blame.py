"""``semantest blame``: the answer, the commits out of a repository, and what else changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.suite_runs import FAILED, FLAKY, PASSED, Ran, record_run, run_id

T = "tests/test_a.py::test_total[it's]"
_IDENTITY = {f"GIT_{who}_{what}": f"Ada {what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _IDENTITY
    done = subprocess.run(
        ["git", "-C", folder, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Four commits, the third of which breaks the sum; its folder and the ids."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    commits = []
    for number in range(4):
        (folder / "tests").mkdir(exist_ok=True)
        body = f"    assert 1 + 1 == {3 if number >= 2 else 2}, {number}\n"
        head = "import pytest\n\n\n@pytest.mark.parametrize('name', [\"it's\"])\n"
        (folder / "tests" / "test_a.py").write_text(f"{head}def test_total(name):\n{body}")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"Change {number} \x1b[31mof the sum")
        commits.append(git(folder, "rev-parse", "HEAD"))
    return folder, commits


@pytest.fixture
def project(repository: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    monkeypatch.chdir(repository[0])
    return repository


def blame(folder: Path, *arguments: str) -> Said:
    return semantest("blame", *arguments, "--directory", folder)


def test_the_commits_between_and_what_else_changed(project: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, commits = project
    packages = {"python": "3.13.1", "packages": {"requests": "2.32.0", "pytest": "9.2.0"}}
    record_run(tmp_path, 1, {T: Ran(code="1-a")}, commit=commits[0], environment=packages)
    later = packages | {"packages": {"requests": "2.33.0", "rich": "14.0"}}
    record_run(tmp_path, 2, {T: Ran("failed", code="2-a")}, commit=commits[3], environment=later)
    record_run(tmp_path, 3, {T: Ran("failed", code="2-a")}, commit=commits[3], environment=later)
    said = blame(tmp_path, "test_total")
    assert (said.code, said.err) == (0, "")
    assert "\x1b" not in said.out
    assert said.out.splitlines() == [
        T,
        "  broken (3 runs of branch main looked at)",
        f"  last good   run {run_id(1)}: passed, 2026-11-21 10:30:00 UTC, commit {commits[0][:10]}",
        f"  first bad   run {run_id(2)}: failed, 2026-11-21 11:30:00 UTC, commit {commits[3][:10]}",
        "          tests/test_a.py:4: AssertionError: assert 1 == 2",
        "  broken in 2 runs",
        "",
        "What else changed between the two",
        "  the test itself was edited",
        "  pytest: 9.2.0 -> none",
        "  requests: 2.32.0 -> 2.33.0",
        "  rich: none -> 14.0",
        "",
        "Commits between (3)",
        *(
            f"  {commit[:10]}  {git(root, 'log', '-1', '--format=%as', commit)}  Ada NAME: Change {number} of the sum"
            for number, commit in reversed(list(enumerate(commits))[1:])
        ),
        "",
        "Find the commit",
        f"  {blame(tmp_path, 'test_total', '--json').json['bisect']}",
    ]


def test_the_command_that_is_advised_finds_the_commit(project: tuple[Path, list[str]], tmp_path: Path) -> None:
    _root, commits = project
    record_run(tmp_path, 1, {T: PASSED}, commit=commits[0])
    record_run(tmp_path, 2, {T: FAILED}, commit=commits[3])
    command = blame(tmp_path, T, "--json").json["bisect"]
    environment = dict(os.environ) | {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert f"{commits[2]} is the first bad commit" in done.stdout


def test_a_repository_runs_nothing_for_us(project: tuple[Path, list[str]], tmp_path: Path) -> None:
    root, commits = project
    record_run(tmp_path, 1, {T: PASSED}, commit=commits[0])
    record_run(tmp_path, 2, {T: FAILED}, commit=commits[3])
    for key in ("gpg.program", "core.fsmonitor", "core.pager", "log.showSignature"):
        value = "true" if key == "log.showSignature" else f"touch {tmp_path}/ran;"
        git(root, "config", key, value)
    assert blame(tmp_path, T, "--json").json["commitNumber"] == 3
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("commits", "told"),
    [
        (("--output=/tmp/x", "b" * 40), "the commits of these runs are no commit ids"),
        (("a" * 40, "b" * 40), "the repository here does not have the commits"),
    ],
)
def test_commits_that_are_not_here(
    project: tuple[Path, list[str]], tmp_path: Path, commits: tuple[str, str], told: str
) -> None:
    for number, (commit, ran) in enumerate(zip(commits, (PASSED, FAILED), strict=True), 1):
        record_run(tmp_path, number, {T: ran}, commit=commit)
    said = blame(tmp_path, T)
    assert said.code == 0
    assert f"Commits between: {told}" in said.out
    assert "Find the commit" not in said.out


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([FAILED, FAILED], "broken in every run: history cannot tell"),
        ([PASSED, PASSED], "never broken: there is nothing to blame"),
        ([PASSED, FLAKY], "flaky: it failed and passed with the same code"),
        ([Ran("skipped")], "without a verdict in every run"),
    ],
)
def test_it_is_said_when_history_cannot_tell(tmp_path: Path, runs: list[Ran], told: str) -> None:
    for number, ran in enumerate(runs, 1):
        record_run(tmp_path, number, {T: ran})
    said = blame(tmp_path, T)
    assert said.code == 1
    assert told in said.out


def test_what_never_passed_before_it_broke_has_no_last_good_run_and_it_is_said(tmp_path: Path) -> None:
    for number, ran in enumerate([FAILED, PASSED], 1):
        record_run(tmp_path, number, {T: ran})
    said = blame(tmp_path, T)
    assert (said.code, "  last good   none: it had not passed before in these runs\n" in said.out) == (1, True)


def test_only_the_branch_of_its_last_run_counts(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED})
    record_run(tmp_path, 2, {T: FAILED}, branch="feature")
    record_run(tmp_path, 3, {T: PASSED})
    assert blame(tmp_path, T, "--json").json["verdict"] == "never broken"
    assert blame(tmp_path, T, "--json", "--branch", "feature").json["verdict"] == "always broken"
    assert "did you mean feature?" in blame(tmp_path, T, "--branch", "featur").err


def test_of_a_test_that_never_passed_on_a_branch_it_is_told_where_it_did(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T: PASSED})
    record_run(tmp_path, 2, {T: FAILED})
    record_run(tmp_path, 3, {T: FAILED}, branch="feature")
    found = blame(tmp_path, T)
    assert (found.code, f"  good in     run {run_id(1)}: passed, " in found.out) == (1, True)
    assert f", of branch main\n          to compare them: semantest diff {run_id(1)} {run_id(3)}\n" in found.out
    assert blame(tmp_path, T, "--json").json["goodElsewhere"]["run"] == run_id(1)
    assert blame(tmp_path, T, "--json", "--branch", "main").json["goodElsewhere"] is None

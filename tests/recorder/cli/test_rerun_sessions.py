"""``pytest --semantest-rerun``: what runs still owe, in real sessions on real histories."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess

import pytest

from tests.recorder.cli.project import Project

SUITE = {
    "test_a.py": """
        import os, pytest

        @pytest.mark.parametrize("number", range(4))
        def test_n(number): assert number % 2 or os.path.exists("fixed")
        def test_ok(): pass
        def test_edited(): assert 1
        """,
    "test_b.py": """
        import os

        def test_gone(): assert os.path.exists("fixed")
        def test_old_name():
            where = "fixed"
            assert os.path.exists(where)
        """,
    "test_broken.py": "import nothing_of_that_name\n",
}
OWED = ["test_a.py::test_n[0]", "test_a.py::test_n[2]", "test_b.py::test_gone", "test_b.py::test_old_name"]
MENDED = "test_broken.py::test_mended"
EVERYTHING = {*OWED, *(f"test_a.py::test_{name}" for name in ("n[1]", "n[3]", "ok", "edited"))}
AGAIN = ("-v", "--semantest-rerun", "last")


def ran(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The tests that pytest ran, in any order."""
    pattern = r"^(?:\[gw\d+\] \[ *\d+%\] \w+ )?(test_\S+::\S+)(?: PASSED.*| FAILED.*| *)$"
    return sorted(set(re.findall(pattern, result.stdout, re.MULTILINE)))


def write(project: Project, suite: dict[str, str]) -> None:
    for name, text in suite.items():
        project.write(name, text)


def edit(project: Project, name: str, *changes: tuple[str, str]) -> None:
    path = project.root / name
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def test_the_rest_is_run_until_nothing_is_owed(project: Project) -> None:
    write(project, SUITE)
    assert project.pytest("--continue-on-collection-errors").returncode == 1
    first = project.json("report")["run"]["id"]
    edit(project, "test_b.py", ("test_old_name", "test_new_name"), ("def test_gone", "def no_test"))
    edit(project, "test_a.py", ("assert 1", "assert 2"))
    project.write("test_broken.py", "def test_mended(): pass\n")
    project.write("test_new.py", "def test_new(): pass\n")

    result = project.pytest(*AGAIN)
    assert result.returncode == 1
    renamed = "test_b.py::test_new_name"
    assert ran(result) == sorted([*OWED[:2], "test_a.py::test_edited", MENDED, renamed])
    assert f"rerun of run {first}, which owes 5 of 9 tests" in result.stdout
    assert (
        "5 tests: 2 owed, 1 of files that could not be collected, 1 under a new name, 1 whose code changed since"
        in result.stdout
    )
    assert "1 test not part of what is rerun (new, or left out then): not run" in result.stdout
    assert "NOT RUN, and still owed: 1 test no longer there: test_b.py::test_gone" in result.stdout
    second = project.json("report")
    assert second["run"]["rerunOf"] == [first]
    assert second["chain"].items() >= {"tests": 9, "outstanding": 4, "state": "failed", "complete": True}.items()

    (project.root / "fixed").touch()
    edit(project, "test_b.py", ("def no_test", "def test_gone"))
    result = project.pytest(*AGAIN, "-n", "2")
    assert (result.returncode, ran(result)) == (0, sorted([*OWED[:3], renamed]))
    report = project.semantest("report", "--chain")
    assert f"reruns 4 of 9 tests of run {second['run']['id']}; outstanding after it: 0, together they passed" in (
        report.stdout
    )
    assert report.returncode == 0
    assert project.semantest("report", first).returncode == 1
    assert project.semantest("report", first, "--chain").returncode == 0

    result = project.pytest("--semantest-rerun", first)
    assert (result.returncode, ran(result)) == (0, [])
    assert f"nothing to run: run {first} owes nothing any more" in result.stdout


def test_a_run_that_was_killed_owes_what_it_did_not_finish(project: Project) -> None:
    project.write(
        "test_dies.py",
        """
        import os, signal

        def test_1(): pass
        def test_2():
            if not os.path.exists("fixed"):
                os.kill(os.getpid(), signal.SIGKILL)
        def test_3(): pass
        """,
    )
    assert project.pytest().returncode == -signal.SIGKILL
    (project.root / "fixed").touch()
    result = project.pytest(*AGAIN)
    assert (result.returncode, ran(result)) == (0, ["test_dies.py::test_2", "test_dies.py::test_3"])
    owed = project.semantest("owed")
    assert (owed.returncode, owed.stdout.count("nothing outstanding of 3 tests")) == (0, 1)


def test_without_a_history_nothing_runs(project: Project) -> None:
    project.write("test_a.py", "def test_1(): raise SystemExit('it ran')\n")
    result = project.pytest("--semantest-rerun", "last")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--semantest-rerun: nothing recorded" in result.stderr
    assert "it ran" not in result.stdout


@pytest.mark.slow
def test_what_others_leave_out_stays_owed(project: Project) -> None:
    """``-k``, paths, shards and an order, without a recording; of runs that are not there nothing runs."""
    write(project, SUITE)
    project.pytest("--continue-on-collection-errors")
    first = project.json("report")["run"]["id"]
    wrong = first[:-1] + ("0" if first[-1] != "0" else "1")
    result = project.pytest("--semantest-rerun", f"{first},{wrong}")
    assert (result.returncode, ran(result)) == (pytest.ExitCode.USAGE_ERROR, [])
    assert f"--semantest-rerun: no run '{wrong}': did you mean {first}" in result.stderr
    (project.root / "fixed").touch()
    project.write("test_broken.py", "def test_mended(): pass\n")
    result = project.pytest(*AGAIN, "--no-semantest", "-k", "not gone", "--semantest-order", "failed-first")
    assert ran(result) == [*OWED[:2], OWED[3], MENDED]
    assert "still owed until a rerun without paths, -k, shard or budget: test_broken.py" in result.stdout
    assert "NOT RUN, and still owed: 1 test left out by -k, -m or another plugin: test_b.py::test_gone" in result.stdout
    assert "not recorded: what ran here does not count" in result.stdout
    result = project.pytest(*AGAIN, "--no-semantest", "test_a.py")
    assert ran(result) == OWED[:2]
    assert "NOT RUN, and still owed: 3 tests not among the tests that were asked for" in result.stdout
    parts = [ran(project.pytest(*AGAIN, "--no-semantest", f"--semantest-shard={number}/2")) for number in (1, 2)]
    assert sorted(parts[0] + parts[1]) == [*OWED, MENDED]


@pytest.mark.slow
def test_shards_that_are_runs_of_their_own_are_rerun_together(project: Project) -> None:
    write(project, SUITE)
    (project.root / "test_broken.py").unlink()
    ids, ran_before = [], set[str]()
    for number in (1, 2):
        ran_before |= set(ran(project.pytest("-v", f"--semantest-shard={number}/2")))
        ids.append(project.json("report")["run"]["id"])
    (project.root / "fixed").touch()
    result = project.pytest("-v", "--semantest-rerun", ",".join(ids))
    assert result.returncode == 0
    # Without one history for both a test may be in neither: then it is owed, too.
    assert set(ran(result)) == {*OWED, *(EVERYTHING - ran_before)}
    assert project.semantest("owed", *ids).returncode == 0


@pytest.mark.slow
def test_shards_of_one_run_that_did_not_come_are_owed(project: Project) -> None:
    write(project, SUITE)
    (project.root / "test_broken.py").unlink()
    (project.root / "fixed").touch()
    ran_before = set()
    for number in (1, 2):
        result = project.pytest("-v", f"--semantest-shard={number}/3", "--semantest-run-id", "nightly")
        ran_before |= set(ran(result))
    result = project.pytest("-v", "--semantest-rerun", "nightly")
    assert set(ran(result)) == EVERYTHING - ran_before
    assert project.semantest("owed", "nightly").returncode == 0
    result = project.pytest("--semantest-rerun", "nightly", "--semantest-run-id", "nightly")
    assert "run nightly cannot rerun itself" in result.stderr


@pytest.mark.slow
def test_interrupted_and_crashed_tests_are_owed(project: Project) -> None:
    """Ctrl-C under xdist's workers would take them along: one session of each."""
    project.write(
        "test_c.py",
        """
        import os, signal

        def test_1(): pass
        def test_2():
            if not os.path.exists("fixed"):
                os.kill(os.getpid(), signal.SIGINT if "INT" in os.environ else signal.SIGSEGV)
        def test_3(): pass
        """,
    )
    project.environment["INT"] = "1"
    assert project.pytest().returncode == pytest.ExitCode.INTERRUPTED
    del project.environment["INT"]
    result = project.pytest(*AGAIN, "-n", "1", "--max-worker-restart", "0")
    assert result.returncode == 1
    (project.root / "fixed").touch()
    result = project.pytest(*AGAIN, "-n", "1")
    assert (result.returncode, ran(result)) == (0, ["test_c.py::test_2", "test_c.py::test_3"])


@pytest.mark.slow
def test_on_another_machine(project: Project) -> None:
    """Another checkout in another place, by a recorder elsewhere; and none at all when it does not answer."""
    write(project, SUITE)
    (project.root / "test_broken.py").unlink()
    (project.root / "token").write_text("a-token-of-the-team\n")
    assert project.recorder("start", "--token-file", "token", "--idle-timeout", "0").returncode == 0
    project.pytest()
    address = json.loads((project.folder / "recorder.json").read_text("utf-8"))["url"]
    (project.root / "other").mkdir()
    other = Project(project.root / "other")
    for name in SUITE:
        if name != "test_broken.py":
            shutil.copy(project.root / name, other.root / name)
    (other.root / "fixed").touch()
    remote = ("--semantest-url", address, "--semantest-token", "a-token-of-the-team")
    result = other.pytest(*AGAIN, *remote)
    assert (result.returncode, ran(result)) == (0, OWED)
    assert project.semantest("owed").returncode == 0
    project.recorder("stop")
    result = other.pytest(*AGAIN, *remote)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Connection refused" in result.stderr

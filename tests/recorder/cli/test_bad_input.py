"""Output that cannot be written, a working directory that is gone, arguments that are nonsense: no tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from semantest_recorder.cli.recorder import main as recorder
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, green_run

_SEMANTEST = "semantest_recorder.cli.semantest"


def shell(
    project: Project, script: str, *arguments: str, module: str = _SEMANTEST
) -> subprocess.CompletedProcess[bytes]:
    """The command as ``"$@"`` of a shell script."""
    command = ["sh", "-c", script, "sh", sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=project.root, env=project.environment, capture_output=True, check=False)


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
@pytest.mark.parametrize(
    "arguments",
    [["report"], ["report", "--json"], ["report", "--rerun"], ["runs"], ["show", "test_ok", "--json"], ["sync"]],
    ids=" ".join,
)
def test_a_stdout_that_takes_nothing_ends_it_quietly(project: Project, arguments: list[str], redirection: str) -> None:
    green_run().store(project.folder)
    done = shell(project, f'"$@" {redirection}', *arguments)
    if arguments[-1] == "--rerun":
        assert b"Traceback" not in done.stderr
    else:
        assert (done.returncode, done.stderr) == (1, b"")


def test_a_working_directory_that_was_deleted(project: Project) -> None:
    green_run().store(project.folder)
    gone = 'mkdir gone; cd gone; rmdir ../gone; "$@"'
    done = shell(project, gone, "report")
    assert done.returncode == 2
    assert done.stderr.startswith(b"semantest: the working directory cannot be used: No such file or directory.")
    assert b"Traceback" not in done.stderr
    done = shell(project, gone, "report", "--directory", str(project.folder))
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"Run {RUN}: passed" in done.stdout.decode()
    for name in ("runs", "sync", "recover", "doctor"):
        done = shell(project, gone, name, "--directory", str(project.folder))
        assert b"Traceback" not in done.stderr, name


@pytest.mark.parametrize("arguments", [["report"], ["show"], ["show", "test_ok", "--run"], ["recover"]], ids=" ".join)
def test_an_argument_that_is_no_text(project: Project, arguments: list[str]) -> None:
    green_run().store(project.folder)
    done = shell(project, '"$@"', *arguments, os.fsdecode(b"\xff"))
    assert done.returncode in (2, 3)
    assert done.stderr.startswith(b"semantest: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_no_text(project: Project) -> None:
    folder = Path(os.fsdecode(os.fsencode(project.root) + b"/\xff"))
    green_run().store(folder)
    for arguments in (["report"], ["sync"], ["sync", "--json"], ["doctor"], ["doctor", "--json"]):
        done = shell(project, '"$@"', *arguments, "--directory", os.fsdecode(folder))
        assert b"Traceback" not in done.stderr, arguments


def test_a_number_that_no_database_knows(project: Project) -> None:
    green_run().store(project.folder)
    done = project.semantest("runs", "--limit", str(2**63))
    assert (done.returncode, done.stderr) == (0, "")
    assert RUN in done.stdout
    assert project.semantest("show", "test_ok", "--history", str(2**70)).returncode == 0


def test_a_limit_of_zero_lists_all_runs(tmp_path: Path) -> None:
    for day in range(10, 32):
        green_run(f"202611{day}-080000-aaaaaa").store(tmp_path)
    said = semantest("runs", "--directory", tmp_path, "--limit", "0", "--json")
    assert len(said.json["runs"]) == 22
    said = semantest("runs", "--directory", tmp_path, "--limit", "0", "--state", "passed", "--json")
    assert len(said.json["runs"]) == 22


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e300"])
def test_what_is_no_number_of_seconds_is_wrong_usage(tmp_path: Path, seconds: str) -> None:
    green_run().store(tmp_path)
    for arguments in (["report", "--sync-timeout"], ["sync", "--timeout"]):
        said = semantest(*arguments, seconds, "--directory", tmp_path)
        assert said.code == 2, arguments
        assert "Invalid value" in said.err
    for arguments in (["serve", "--idle-timeout"], ["start", "--timeout"], ["stop", "--timeout"]):
        result = CliRunner().invoke(recorder, [*arguments, seconds, "--directory", str(tmp_path)])
        assert result.exit_code == 2, arguments
        assert "Invalid value" in result.stderr


@pytest.mark.parametrize("speed", ["fast", "-1", "nan", "inf"])
def test_what_is_no_speed_says_what_is_wanted(tmp_path: Path, speed: str) -> None:
    said = semantest("replay", "--from", "2h", "--speed", speed, "--directory", tmp_path)
    assert said.code == 2
    assert f"{speed!r} is no factor: give a number from 0 up, such as 1 or 0.5" in said.err


def test_the_recorders_own_command_stumbles_over_neither(project: Project) -> None:
    green_run().store(project.folder)
    module = "semantest_recorder.cli.recorder"
    done = shell(project, 'mkdir gone; cd gone; rmdir ../gone; "$@"', "status", module=module)
    assert done.returncode == 2
    assert done.stderr.startswith(b"semantest-recorder: the working directory cannot be used")
    done = shell(
        project, 'mkdir gone; cd gone; rmdir ../gone; "$@"', "status", "--directory", str(project.folder), module=module
    )
    assert (done.returncode, done.stderr) == (3, b"")
    for redirection in (">&-", ">/dev/full"):
        done = shell(project, f'"$@" {redirection}', "status", module=module)
        assert (done.returncode, done.stderr) == (1, b"")

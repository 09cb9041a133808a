"""What all commands of ``semantest`` have in common."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from semantest_recorder.cli.semantest import main
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, small_run

_COMMANDS = main.list_commands(click.Context(main))


@pytest.mark.parametrize("name", [None, *_COMMANDS])
def test_help_has_examples_line_by_line(name: str | None) -> None:
    said = semantest(*([name] if name else []), "--help")
    assert said.code == 0
    assert "\n  Examples:\n    " in said.out
    assert "\\b" not in said.out
    if name != "completion":
        assert "\n  Exit codes:\n    0 " in said.out


def test_every_module_gives_the_command_it_is_listed_under() -> None:
    context = click.Context(main)
    for name in _COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(("typed", "hint"), [("reprot", "Did you mean 'report'?"), ("xyzzy", "Commands: report, runs")])
def test_a_command_that_does_not_exist(typed: str, hint: str) -> None:
    said = semantest(typed)
    assert said.code == 2
    assert hint in said.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_those_of_the_shell(shell: str) -> None:
    said = semantest("completion", shell)
    assert said.code == 0
    assert "_SEMANTEST_COMPLETE" in said.out
    program = shutil.which(shell)
    if program is not None and shell != "zsh":
        subprocess.run([program, "-n"], input=said.out, text=True, check=True)


def test_completion_answers_with_the_commands(project: Project) -> None:
    said = project.semantest(
        _SEMANTEST_COMPLETE="bash_complete", _SEMANTEST_MAIN_COMPLETE="", COMP_WORDS="semantest re", COMP_CWORD="1"
    )
    assert said.stdout.split() == ["plain,report", "plain,recover"]


def on_a_terminal(project: Project, *arguments: str, **environment: str) -> str:
    """What ``semantest`` writes when its stdout is a terminal."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments]
    settings = project.environment | {"TERM": "xterm-256color"} | environment
    with subprocess.Popen(command, cwd=project.root, env=settings, stdout=follower, stderr=follower) as process:
        os.close(follower)
        written = b""
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # the terminal's other end was closed
                break
            if not chunk:
                break
            written += chunk
        process.wait(timeout=60)
    os.close(leader)
    return written.decode()


def test_colours_on_a_terminal_only_and_not_against_the_users_will(project: Project) -> None:
    small_run().store(project.folder)
    assert "\x1b[" in on_a_terminal(project, "report")
    assert "\x1b" not in on_a_terminal(project, "report", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(project, "report", TERM="dumb")
    assert "\x1b" not in project.semantest("report").stdout
    assert "\x1b" not in project.semantest("runs").stdout


def test_the_live_display_leaves_its_last_look_on_the_terminal(project: Project) -> None:
    small_run().store(project.folder)
    shown = on_a_terminal(project, "watch", RUN, NO_COLOR="1", COLUMNS="100")
    assert "4 of 4" in shown
    assert "1 passed, 1 failed, 1 skipped, 1 flaky" in shown
    assert "FAILED a.py::test_bad - assert 1 == 2" in shown


def test_watch_says_that_nothing_runs_without_a_line_before(project: Project) -> None:
    small_run().store(project.folder)
    shown = on_a_terminal(project, "watch", NO_COLOR="1")
    assert shown.startswith("semantest: nothing runs"), repr(shown)


def test_a_terminal_of_few_characters_gets_escapes_instead_of_a_traceback(project: Project) -> None:
    small_run("20261121-093000-\u65e5").store(project.folder)
    said = project.semantest("report", PYTHONIOENCODING="ascii")
    assert said.returncode == 1, said.stderr
    assert "\\u65e5" in said.stdout


def test_a_reader_that_goes_away_is_no_error(project: Project) -> None:
    small_run().store(project.folder)
    for arguments in (["report"], ["report", "--json"], ["runs"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments]
        done = subprocess.run(
            command, cwd=project.root, env=project.environment, stdout=writer, stderr=subprocess.PIPE, check=False
        )
        os.close(writer)
        assert b"Traceback" not in done.stderr, arguments


def test_json_output_needs_no_rich_and_help_no_database(project: Project) -> None:
    small_run().store(project.folder)
    unmeasured = {key: value for key, value in project.environment.items() if not key.startswith("COVERAGE_")}
    for arguments, absent in (
        (["report", "--json"], ["rich", "aiohttp"]),
        (["--version"], ["rich", "sqlite3", "aiohttp"]),
    ):
        code = (
            "import sys\nfrom semantest_recorder.cli.semantest import main\n"
            f"try: main({arguments!r})\nexcept SystemExit: pass\n"
            f"sys.exit(' '.join(name for name in {absent!r} if name in sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=project.root, env=unmeasured, capture_output=True, check=False
        )
        assert done.stderr.strip() == b"", (arguments, done.stderr)


def test_the_folder_can_come_from_the_environment(tmp_path: Path) -> None:
    small_run().store(tmp_path / "elsewhere")
    assert semantest("report", env={"SEMANTEST_DIR": str(tmp_path / "elsewhere")}).code == 1

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

from semantest_recorder.cli.recorder import main as recorder
from semantest_recorder.cli.semantest import main
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run

_COMMANDS = main.list_commands(click.Context(main))


@pytest.mark.parametrize("name", [None, *_COMMANDS])
def test_help_has_examples_line_by_line(name: str | None) -> None:
    said = semantest(*([name] if name else []), "--help")
    assert said.code == 0
    assert "\n  Examples:\n    " in said.out
    assert "\\b" not in said.out
    if name != "completion":
        assert "\n  Exit codes:\n    0 " in said.out


def test_the_list_of_commands_cuts_no_summary() -> None:
    for program in (main, recorder):
        context = click.Context(program, terminal_width=80)
        assert "..." not in program.get_help(context).partition("Commands:")[2]


def test_the_version_has_a_short_option() -> None:
    assert semantest("-V").out == semantest("--version").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--limit", "x"],
        ["report", "--sync-timeout", "x"],
        ["show", "t", "--history", "x"],
        ["recover", "--limit", "x"],
    ],
)
def test_what_is_no_number_is_told_in_words(arguments: list[str]) -> None:
    said = semantest(*arguments)
    assert said.code == 2
    assert "'x' is not a valid number" in said.err


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
        _SEMANTEST_COMPLETE="bash_complete", _SEMANTEST_MAIN_COMPLETE="", COMP_WORDS="semantest rep", COMP_CWORD="1"
    )
    assert said.stdout.split() == ["plain,report", "plain,replay"]


def completed(project: Project, line: str) -> list[str]:
    """What is offered behind ``line``."""
    said = project.semantest(_SEMANTEST_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD="2")
    assert (said.returncode, said.stderr) == (0, "")
    return [offer.removeprefix("plain,") for offer in said.stdout.splitlines() if offer]


def test_names_of_runs_tests_and_sessions_are_completed(project: Project) -> None:
    newer = "20261121-094500-ffffff"
    small_run().store(project.folder)
    green_run(newer, start_ms=START + 900_000).store(project.folder)
    green_run("20261122-100000-eeeeee").journal(project.folder)
    for line in ("semantest report ", "semantest watch 2026", "semantest show x --run 2"):
        assert completed(project, line) == [newer, RUN], line
    assert completed(project, f"semantest report {RUN[:12]}") == [RUN]
    tests = ["a.py::test_bad", "a.py::test_ok", "b.py::test_flaky", "b.py::test_skip[1-x]"]
    assert completed(project, "semantest show ") == tests
    assert completed(project, "semantest show b.py::te") == tests[2:]
    assert completed(project, "semantest show test_f") == ["test_flaky"]
    assert completed(project, "semantest show test_skip[1") == ["test_skip[1-x]"]
    assert completed(project, "semantest gate --critical b.py::te") == tests[2:]
    assert completed(project, "semantest recover ") == ["20261122-100000-eeeeee"]
    elsewhere = project.root / "elsewhere"
    elsewhere.mkdir()
    assert completed(project, f"semantest report --directory {elsewhere} ") == []


def test_completion_is_silent_in_any_trouble(project: Project) -> None:
    assert completed(project, "semantest report ") == []
    project.folder.mkdir()
    assert completed(project, "semantest show a") == []
    (project.folder / "semantest.db").write_bytes(b"this is no database, whatever its name says" * 100)
    assert completed(project, "semantest report ") == []
    assert completed(project, "semantest report '") == []


def test_bash_completes_a_word_with_colons(project: Project) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    small_run().store(project.folder)
    project.write("semantest", f'#!/bin/sh\nexec {sys.executable} -m semantest_recorder.cli.semantest "$@"\n')
    (project.root / "semantest").chmod(0o755)
    script = """
        PATH="$PWD:$PATH"
        eval "$(semantest completion bash)"
        COMP_LINE="semantest show $1" COMP_POINT=100 COMP_CWORD=2
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
        _semantest_completion semantest
        printf '%s\\n' "${COMPREPLY[@]}"
    """

    def offered(word: str) -> list[str]:
        command = [bash, "--norc", "-c", script, "bash", word]
        done = subprocess.run(
            command, cwd=project.root, env=project.environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert offered("b.py::") == ["test_flaky", r"test_skip\[1-x\]"]
    assert offered("a.p") == ["a.py::test_bad", "a.py::test_ok"]
    assert offered("nothing") == []
    assert offered("'b.py::test_s") == ["b.py::test_skip[1-x]"], "quoted: nothing is to be escaped"
    assert offered('"b.py::test_s') == ["b.py::test_skip[1-x]"]
    odd = Recording("odd")
    odd.start()
    odd.test("""c.py::test_odd['$(exit)"`]""")
    odd.store(project.folder)
    assert offered("'c.py::") == [r"""c.py::test_odd['\''$(exit)"`]"""]
    assert offered('"c.py::') == [r"""c.py::test_odd['\$(exit)\"\`]"""]


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


def test_an_export_on_a_terminal_is_text_and_nothing_else(project: Project) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_\x1b[31mred\u202e")
    recording.test("a.py::test_\x1b[31mred\u202e")
    recording.end()
    recording.store(project.folder)
    said = on_a_terminal(project, "export", "--format", "csv", "--directory", str(project.folder))
    assert "a.py::test_red" in said
    assert not {"\x1b", "\u202e"} & set(said)


def test_colours_on_a_terminal_only_and_not_against_the_users_will(project: Project) -> None:
    small_run().store(project.folder)
    assert "\x1b[" in on_a_terminal(project, "report")
    assert "\x1b" not in on_a_terminal(project, "report", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(project, "report", TERM="dumb")
    assert "\x1b" not in project.semantest("report").stdout
    assert "\x1b" not in project.semantest("runs").stdout


def test_csv_on_a_terminal_cannot_repaint_it(project: Project) -> None:
    small_run(run_id="a\x1b[2Jb").store(project.folder)
    shown = on_a_terminal(project, "trends", "--csv")
    assert "\nab,2026-11-21T" in shown.replace("\r", "")
    assert "\x1b" not in shown


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

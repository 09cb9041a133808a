"""Names that came out of journals and folders, in notes, errors and advice: text for a terminal, and for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from semantest_recorder.cli.recorder import main as recorder
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, START, green_run, small_run

_EVIL = "r\x1b]0;pwned\x07\x9b31m\u202e\nsemantest: forged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".semantest"


def assert_inert(said: str, lines: int = 1) -> None:
    assert not set(said) & set("\x1b\x07\x9b\u202e"), said
    assert len(said.splitlines()) == lines, said


@pytest.mark.parametrize("arguments", [["report"], ["runs"], ["show", "test_ok"]], ids=" ".join)
def test_a_run_id_out_of_a_journal_steers_no_terminal(folder: Path, arguments: list[str]) -> None:
    green_run(RUN, run_id=_EVIL).journal(folder)
    said = semantest(*arguments, "--directory", folder, "--sync-timeout", "0")
    assert (said.code, "was read from its journals" in said.err) == (0, True)
    assert_inert(said.err)


def test_run_ids_of_errors_steer_no_terminal(folder: Path) -> None:
    for number in (1, 2):
        green_run(f"{RUN}-{number}", run_id=f"{_EVIL}{number}", start_ms=START + number).store(folder)
    for name, code in (("r", 2), ("r]0;pwned31msemantest: forged", 3)):
        said = semantest("report", name, "--directory", folder, "--sync-timeout", "0")
        assert said.code == code
        assert_inert(said.err)
    said = semantest("watch", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, "is passed" in said.err) == (3, True)
    assert_inert(said.err)


def test_names_of_sessions_steer_no_terminal(folder: Path) -> None:
    for number in (1, 2):
        green_run(f"s{_EVIL}{number}").journal(folder)
    for name, code in (("s", 2), ("x", 3)):
        said = semantest("recover", name, "--directory", folder)
        assert said.code == code
        assert_inert(said.err)
    said = semantest("doctor", "--directory", folder)
    assert "\x1b" not in said.out
    assert "\nsemantest: forged" not in said.out


def test_a_session_whose_name_is_shell_text_is_quoted_in_advice(project: Project) -> None:
    session = small_run("$(touch pwned) 'x").journal(project.folder)
    (session / "main.journal").write_bytes(b"nonsense\n")
    said = project.semantest("sync")
    assert said.returncode == 5
    advice = said.stderr.splitlines()[-1]
    assert advice.startswith("semantest: what is in it shows: semantest recover ")
    assert shlex.split(advice.partition("shows: ")[2]) == ["semantest", "recover", session.name]


def test_of_a_session_whose_name_cannot_be_typed_nothing_is_advised(project: Project) -> None:
    session = small_run().journal(project.folder)
    (session / "main.journal").write_bytes(b"nonsense\n")
    session.rename(session.with_name("\x1b]0;pwned\x07$(id) x"))
    said = project.semantest("sync")
    assert (said.returncode, "recover" in said.stderr) == (5, False)
    assert not set(said.stderr) & set("\x1b\x07")


def test_the_recorders_own_command_steers_no_terminal_either(tmp_path: Path) -> None:
    said = CliRunner().invoke(recorder, ["serve", "--directory", str(tmp_path), "--token-file", f"{tmp_path}/{_EVIL}"])
    assert (said.exit_code, said.stderr.startswith("semantest-recorder: cannot read the token file ")) == (2, True)
    assert not set(said.stderr) & set("\x1b\x07\x9b\u202e")

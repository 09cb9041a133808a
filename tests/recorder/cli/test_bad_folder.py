"""One file or session that cannot be used never hides the others, and is told in a line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semantest_recorder.cli.journal_file import JournalFile
from tests.recorder.cli.command import semantest, semantest_in
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, START, green_run, small_run

OLD = "20261120-080000-dddddd"
_READERS = (["report"], ["runs"], ["show", "test_ok"], ["watch"])
#: What cannot be shipped is not waited for.
_READ_NOW = ["report", "--sync-timeout=0"]
_NESTED = "[" * 200_000
_UNPRIVILEGED = ["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".semantest"


def without_privileges(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``semantest`` as somebody to whom the permissions of files apply, be it root."""
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv")
        command = ["setpriv", *_UNPRIVILEGED, *command]
    return subprocess.run(
        command, cwd=project.root, env=project.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", [".semantest", "sessions"])
def test_a_folder_of_somebody_else_is_one_line(project: Project, name: str) -> None:
    green_run(OLD).store(project.folder)
    small_run().journal(project.folder)
    closed = project.folder if name == ".semantest" else project.folder / name
    closed.chmod(0)
    try:
        for arguments in (*_READERS, ["recover"], ["sync"]):
            done = without_privileges(project, *arguments)
            assert done.returncode == 1, (arguments, done.stderr)
            assert done.stderr.startswith(f"semantest: {closed} cannot be read: Permission denied; "), arguments
            assert len(done.stderr.splitlines()) == 1, arguments
        done = without_privileges(project, "doctor")
        assert (done.returncode, done.stderr) == (1, "")
    finally:
        closed.chmod(0o700)


def test_a_folder_that_is_read_only_can_be_read(project: Project) -> None:
    green_run(OLD).store(project.folder)
    project.folder.chmod(0o500)
    try:
        for arguments in (["report"], ["runs"], ["show", "test_ok"], ["backup", str(project.root / "copy.db")]):
            done = without_privileges(project, *arguments)
            assert (done.returncode, done.stderr) == (0, ""), arguments
    finally:
        project.folder.chmod(0o700)


@pytest.mark.parametrize("how", ["directory", "pipe", "closed", "session closed"])
def test_a_session_that_cannot_be_read_hides_no_other(project: Project, how: str) -> None:
    green_run(OLD, start_ms=START - 1e8).store(project.folder)
    bad = green_run("20261121-080000-bbbbbb").journal(project.folder)
    small_run().journal(project.folder)
    journal = bad / "main.journal"
    if how == "directory":
        journal.unlink()
        journal.mkdir()
    elif how == "pipe":
        journal.unlink()
        os.mkfifo(journal)
    else:
        (bad if how == "session closed" else journal).chmod(0)
    try:
        done = without_privileges(project, "report", "--sync-timeout", "0")
        assert done.returncode == 1
        assert f"Run {RUN}: failed" in done.stdout
        assert "20261121-080000-bbbbbb" in done.stderr
        assert "cannot be read" in done.stderr
        done = without_privileges(project, "report", OLD, "--sync-timeout", "0")
        assert done.returncode == 0, done.stderr
        assert without_privileges(project, "show", "test_bad", "--sync-timeout", "0").returncode == 0
        done = without_privileges(project, "recover", "--all")
        told = f"semantest: session {bad.name} cannot be read: {bad} is not open to you\n"
        assert (done.returncode, done.stderr) == (1, told if how == "session closed" else "")
        assert f"Run {RUN}: failed" in done.stdout
        done = without_privileges(project, "doctor")
        assert "cannot be read" in done.stdout, done.stdout
        assert "All is well" not in done.stdout
    finally:
        bad.chmod(0o700)


def test_a_run_whose_only_journal_cannot_be_read_is_not_green(folder: Path) -> None:
    session = green_run().journal(folder)
    (session / "main.journal").unlink()
    (session / "main.journal").mkdir()
    said = semantest("recover", "--directory", folder, "--json")
    assert said.code == 1
    (entry,) = said.json["recovered"]
    assert entry["damage"] == [
        {"file": "main.journal", "start": 0, "end": 0, "reason": "cannot be read: Is a directory"}
    ]
    assert entry["report"]["run"]["gaps"] == 1
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 1
    assert f"{RUN}/main.journal cannot be read: Is a directory" in said.err


def test_a_journal_that_is_a_folder_leaves_no_descriptor_open(folder: Path) -> None:
    (folder / "main.journal").mkdir(parents=True)
    file = JournalFile(folder / "main.journal")
    assert (list(file.entries()), file.unreadable) == ([], "Is a directory")
    opened = {path.resolve() for path in Path("/proc/self/fd").iterdir()}
    assert (folder / "main.journal").resolve() not in opened


def test_small_files_of_nonsense_count_as_none(project: Project) -> None:
    session = small_run().journal(project.folder)
    texts = (b'{"state": [], "pid": []}', b'{"pid": 1e400}', b'{"pid": 100000000000000000000}')
    for text in (_NESTED.encode(), b"\xff", b'{"state": "\xff"}', *texts):
        (session / "ship.json").write_bytes(text)
        for arguments in _READERS[:1] + _READERS[2:3] + (["doctor"],):
            options = [] if arguments == ["doctor"] else ["--sync-timeout", "0"]
            semantest(*arguments, "--directory", project.folder, *options)
    (session / "ship.json").write_text(_NESTED)
    for arguments in (*_READERS, ["sync"]):
        assert "Traceback" not in semantest_in(project.root, project.environment, *arguments).err, arguments


@pytest.mark.parametrize("seq", range(1, len(small_run().bodies["main"]) + 1))
def test_a_byte_that_is_no_utf_8_costs_what_it_stands_in(folder: Path, seq: int) -> None:
    recording = small_run()
    body = recording.bodies["main"][seq - 1]
    recording.bodies["main"][seq - 1] = body.replace(b'"payload":{', b'"payload":{"odd":"\xff",')
    recording.journal(folder)
    for arguments in (["report"], ["runs"], ["show", "test_bad"], ["recover"]):
        options = [] if arguments == ["recover"] else ["--sync-timeout", "0"]
        said = semantest(*arguments, "--directory", folder, *options)
        assert said.code == (1 if arguments[0] in ("report", "recover") else 0), (arguments, said.err)


def test_a_session_whose_name_is_no_text(project: Project) -> None:
    small_run().journal(project.folder)
    bad = os.fsencode(project.folder / "sessions") + b"/\xff"
    shutil.copytree(project.folder / "sessions" / RUN, os.fsdecode(bad))
    for arguments in (["doctor"], ["sync", "--timeout=1"]):
        assert "Traceback" not in project.semantest(*arguments).stderr, arguments
    for arguments in (["doctor", "--json"], ["recover", "--all"], _READ_NOW):
        assert "Traceback" not in semantest_in(project.root, project.environment, *arguments).err, arguments


def test_a_session_with_a_name_for_terminals_is_inert(folder: Path) -> None:
    session = small_run().journal(folder)
    session.rename(session.with_name("\x1b[31mRED\x1b]0;pwned\x07"))
    (folder / "sessions" / "\x1b[31mRED\x1b]0;pwned\x07" / "shipper.log").write_text("hello\n")
    said = semantest("doctor", "--directory", folder)
    assert "RED" in said.out
    assert "\x1b" not in said.out


def damage(folder: Path, how: str) -> None:
    database = folder / "semantest.db"
    data = bytearray(database.read_bytes())
    for place in range(4096, len(data), 97) if how == "pages" else range(len(data)):
        data[place] ^= 0xFF
    database.write_bytes(data)


@pytest.mark.parametrize("how", ["pages", "all"])
def test_a_damaged_database_is_one_line_that_helps(folder: Path, how: str) -> None:
    green_run(OLD, start_ms=START - 1e8).store(folder)
    damage(folder, how)
    for arguments in _READERS:
        said = semantest(*arguments, "--directory", folder, "--sync-timeout", "0")
        assert said.code == 1, arguments
        (line,) = said.err.splitlines()
        assert "`semantest-recorder start` sets the damaged file aside" in line
    small_run().journal(folder)
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert f"Run {RUN}: failed" in said.out
    assert "without what the database has: cannot open" in said.err


@pytest.mark.hazard(29)
def test_doctor_tells_of_a_database_that_was_set_aside(folder: Path) -> None:
    green_run().store(folder)
    (folder / "semantest.db.corrupt-20261121T080000Z").write_bytes(b"x")
    said = semantest("doctor", "--directory", folder)
    assert "semantest.db.corrupt-20261121T080000Z" in said.out
    assert "bring back a backup" in said.out


@pytest.mark.hazard(29)
def test_runs_tells_of_a_database_that_was_set_aside(folder: Path) -> None:
    green_run().store(folder)
    told = (
        "semantest: {} was damaged and set aside: the runs in it are not shown; "
        f"`semantest doctor --directory {folder}` says what can be done\n"
    )
    names = ["semantest.db.corrupt-20261121T080000Z", "semantest.db.corrupt-20261121T090000Z"]
    for number, name in enumerate(names, 1):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").write_bytes(b"x")
        said = semantest("runs", "--directory", folder, "--sync-timeout", "0")
        assert (said.code, said.err) == (0, "".join(told.format(known) for known in names[:number]))
    (folder / "semantest.db").unlink()
    said = semantest("runs", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, told.format(names[0]) in said.err) == (3, True)


def test_an_empty_database_hides_no_run(folder: Path) -> None:
    small_run().journal(folder)
    (folder / "semantest.db").touch()
    for arguments, word in ((["report"], f"Run {RUN}: failed"), (["show", "test_bad"], "assert 1 == 2")):
        said = semantest(*arguments, "--directory", folder, "--sync-timeout", "0")
        assert word in said.out, (arguments, said.err)


def test_journals_that_were_taken_away_are_told(folder: Path) -> None:
    green_run(OLD).store(folder)
    session = small_run().journal(folder)
    (session / "main.status").symlink_to("/proc/1/fd/none")
    (session / "main.journal").unlink()
    for arguments in _READERS[:3]:
        said = semantest(*arguments, "--directory", folder, "--sync-timeout", "0")
        assert said.code == 0
        assert said.err == (
            f"semantest: the journals of session {RUN} were deleted from outside: what was not shipped yet is lost\n"
        )


def test_a_session_that_is_about_to_begin_has_lost_nothing(folder: Path) -> None:
    green_run(OLD).store(folder)
    (folder / "sessions" / RUN).mkdir(parents=True)
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, said.err) == (0, "")

"""Which file an embedded recorder may write: its own, and no other program beside it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semantest_recorder.embedding import create_orchestrator_integration
from semantest_recorder.store.errors import InUse, NotADatabase, NotOurs, StoreError
from semantest_recorder.store.reader import Reader

HOLDER = """
import asyncio, sys
from semantest_recorder.embedding import create_orchestrator_integration

async def main():
    system = create_orchestrator_integration(sys.argv[1])
    await system.get_orchestrator().start_test_run({"runId": "held"})
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await system.shutdown()

asyncio.run(main())
"""

FORKER = """
import os, sys
from semantest_recorder.embedding import create_orchestrator_integration

system = create_orchestrator_integration(sys.argv[1])
if os.fork():
    print("ready", flush=True)
sys.stdin.readline()
os._exit(0)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / ".semantest" / "semantest.db"


@pytest.fixture
def holder(database: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that has the database open; a line ends it."""
    database.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def command(name: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    parts = [sys.executable, "-m", f"semantest_recorder.cli.{name}", *arguments, "--directory", str(folder)]
    return subprocess.run(parts, capture_output=True, text=True, timeout=60, check=False)


def open_and_close(path: Path) -> None:
    asyncio.run(create_orchestrator_integration(path).shutdown())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("things to do")
    with pytest.raises(NotADatabase, match=r"notes.txt' is no SQLite database: name another path"):
        create_orchestrator_integration(notes)
    assert (names(tmp_path), notes.read_text()) == ({"notes.txt"}, "things to do")


def test_a_damaged_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE things (text)")
        connection.executemany("INSERT INTO things VALUES (?)", [("x" * 1000,) for _ in range(50)])
    connection.close()
    content = bytearray(other.read_bytes())
    content[4096:16384] = b"\xff" * (16384 - 4096)
    other.write_bytes(content)
    with pytest.raises(NotOurs):
        create_orchestrator_integration(other)
    assert names(tmp_path) == {"other.db"}
    assert other.read_bytes() == content


@pytest.mark.hazard(29)
def test_a_damaged_database_of_our_own_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    open_and_close(path)
    content = bytearray(path.read_bytes())
    del content[len(content) // 2 :]
    path.write_bytes(content)
    open_and_close(path)
    (aside,) = tmp_path.glob("own.db.corrupt-*")
    assert aside.read_bytes() == content


@pytest.mark.parametrize("name", ["", ":memory:", "file::memory:?cache=shared", Path()])
def test_what_is_no_file_is_refused_at_once(name: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotADatabase, match="a temporary folder"):
        create_orchestrator_integration(name)
    assert names(tmp_path) == set()


def test_a_database_is_opened_once(tmp_path: Path) -> None:
    path, link = tmp_path / "own.db", tmp_path / "link.db"
    link.symlink_to(path)
    first = create_orchestrator_integration(path)
    for again in (path, link):
        with pytest.raises(InUse, match=r"this program .* has .* open already"):
            create_orchestrator_integration(again)
    asyncio.run(first.shutdown())
    assert names(tmp_path) == {"own.db", "link.db"}
    open_and_close(link)


def test_another_program_is_refused(database: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreError) as refused:
        create_orchestrator_integration(database)
    assert f"another program (pid {holder.pid}) has {database} open" in str(refused.value)
    end(holder)
    assert Reader(database).run("held").id == "held"


@pytest.mark.hazard(24)
@pytest.mark.parametrize(
    "arguments", [("recorder", "serve"), ("recorder", "start"), ("semantest", "rebuild")], ids=lambda each: each[1]
)
def test_every_command_that_writes_is_refused(
    database: Path, holder: subprocess.Popen[str], arguments: tuple[str, str]
) -> None:
    done = command(arguments[0], database.parent, *arguments[1:])
    assert done.returncode != 0
    assert f"another program (pid {holder.pid}) has {database} open" in done.stderr, done
    assert holder.poll() is None


@pytest.mark.parametrize("options", [[], ["--stop"]], ids=["", "stop"])
def test_a_backup_is_put_back_when_the_program_has_ended(
    database: Path, holder: subprocess.Popen[str], tmp_path: Path, options: list[str]
) -> None:
    backup = str(tmp_path / "backup.db")
    assert command("semantest", database.parent, "backup", backup).returncode == 0
    refused = command("semantest", database.parent, "restore", *options, backup)
    assert refused.returncode != 0
    assert f"another program (pid {holder.pid}) has {database} open" in refused.stderr, refused
    end(holder)
    assert command("semantest", database.parent, "restore", *options, backup).returncode == 0
    assert Reader(database).run("held").id == "held"


def end(holder: subprocess.Popen[str]) -> None:
    """Tells the program to end, and waits until it has."""
    assert holder.poll() is None
    holder.communicate("\n", timeout=60)
    assert holder.returncode == 0


def test_a_program_that_was_killed_holds_nothing(database: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    open_and_close(database)
    assert Reader(database).run("held").state == "running"


@pytest.mark.hazard(24)
def test_a_recorder_and_a_program_are_not_at_it_together(database: Path) -> None:
    folder = database.parent
    folder.mkdir()
    assert command("recorder", folder, "start").returncode == 0
    try:
        with pytest.raises(InUse, match=r"another program \(pid "):
            create_orchestrator_integration(database)
    finally:
        assert command("recorder", folder, "stop").returncode == 0
    open_and_close(database)


def test_what_a_killed_program_forked_holds_nothing(tmp_path: Path) -> None:
    parts = [sys.executable, "-c", FORKER, str(tmp_path / "own.db")]
    process = subprocess.Popen(parts, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait(60)
    open_and_close(tmp_path / "own.db")  # while the child lives
    process.communicate()  # its input ends, and so does it

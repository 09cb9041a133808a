"""``backup`` and ``restore``, with real files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.backup import _copy
from semantest_recorder.store.schema import SCHEMA_VERSION
from tests.recorder.cli.command import semantest
from tests.recorder.cli.history.kept import dump, whole
from tests.recorder.cli.recording import DEAD_PID, green_run


def test_a_backup_replaces_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("a diary")
    refused = semantest("backup", target, "--directory", folder)
    assert refused.code == 2
    assert "--force" in refused.err
    assert target.read_text() == "a diary"
    assert semantest("backup", target, "--force", "--directory", folder).code == 0
    assert dump(target) == dump(folder / "semantest.db")
    assert target.stat().st_mode & 0o077 == 0
    nowhere = semantest("backup", tmp_path / "no" / "backup.db", "--directory", folder)
    assert nowhere.code == 1
    assert "name a file in a folder" in nowhere.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [".semantest", "backup.db"]


def test_a_backup_replaces_no_pipe_and_no_device(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = semantest("backup", "--force", pipe, "--directory", folder)
    assert (said.code, said.err) == (2, f"semantest: {pipe} is no file, but a device or pipe: name another one\n")
    assert pipe.is_fifo()


def test_what_a_killed_restore_left_is_not_deleted_by_restoring_it(folder: Path) -> None:
    left = folder / "semantest.db.restoring"
    assert semantest("backup", left, "--directory", folder).code == 0
    before = dump(left)
    said = semantest("restore", left, "--directory", folder)
    assert said.code == 1
    assert "move it elsewhere" in said.err
    assert dump(left) == before


def test_what_a_killed_backup_left_is_removed_by_the_next_one(folder: Path, tmp_path: Path) -> None:
    old = time.time() - 3600
    dead = [tmp_path / f".B0.db.{DEAD_PID}.partial", tmp_path / f".B1.db.{DEAD_PID}.0123456789abcdef.partial"]
    others = [tmp_path / f".mine.{os.getpid()}.partial", tmp_path / ".chrome.partial"]
    for path in (*dead, *others):
        path.touch()
        os.utime(path, (old, old))
    fresh = tmp_path / f".fresh.db.{DEAD_PID}.partial"  # another machine may be at it
    fresh.touch()
    assert semantest("backup", tmp_path / "backup.db", "--directory", folder).code == 0
    assert [path.exists() for path in (*dead, *others, fresh)] == [False, False, True, True, True]


def test_what_a_killed_rebuild_left_is_removed_by_the_next_recorder(folder: Path) -> None:
    left = [folder / f"semantest.db{name}" for name in (".rebuilding", ".rebuilding-journal", ".restoring")]
    for path in left:
        path.touch()
    command = [sys.executable, "-m", "semantest_recorder.cli.recorder"]
    for word in ("start", "stop"):
        subprocess.run([*command, word, "--directory", folder], check=True, capture_output=True)
    assert [path for path in left if path.exists()] == []


def test_a_copy_is_written_to_no_file_that_somebody_else_put_there(folder: Path, tmp_path: Path) -> None:
    victim, planted = tmp_path / "victim", tmp_path / "planted"
    victim.write_text("mine")
    planted.symlink_to(victim)
    with pytest.raises(FileExistsError):
        _copy(folder / "semantest.db", planted)
    assert victim.read_text() == "mine"


def test_the_database_is_no_place_for_its_own_backup(folder: Path, tmp_path: Path) -> None:
    database, second = folder / "semantest.db", tmp_path / "second.db"
    second.symlink_to(database)
    before = database.stat().st_ino
    for target in (database, second):
        said = semantest("backup", target, "--force", "--directory", folder)
        assert said.code == 2
        assert "is the database itself" in said.err
    assert database.stat().st_ino == before


def test_what_was_backed_up_comes_back(folder: Path, tmp_path: Path) -> None:
    database, backup = folder / "semantest.db", tmp_path / "backup.db"
    semantest("backup", backup, "--directory", folder)
    before = dump(backup)
    green_run("20261121-235959-ffffff", start_ms=time.time() * 1000).store(folder)
    later = dump(database)
    looked = semantest("restore", backup, "--dry-run", "--directory", folder)
    assert "3 runs" in looked.out
    assert dump(database) == later
    said = semantest("restore", backup, "--json", "--directory", folder)
    assert said.code == 0, said.err
    assert dump(database) == before
    assert dump(Path(said.json["kept"])) == later
    assert dump(backup) == before
    green_run("20261121-235959-ffffff", start_ms=time.time() * 1000).store(folder)
    whole(database)


@pytest.mark.parametrize("version", [1, 2])
def test_a_backup_of_an_older_version_is_migrated(tmp_path: Path, version: int) -> None:
    folder, backup = tmp_path / ".semantest", tmp_path / "old.db"
    folder.mkdir()
    script = Path(__file__).parents[2] / "store" / "databases" / f"version{version}.sql"
    with closing(sqlite3.connect(backup)) as connection:
        connection.executescript(script.read_text())
    said = semantest("restore", backup, "--json", "--directory", folder)
    assert said.code == 0, said.err
    assert said.json["contents"]["version"] == version
    assert said.json["kept"] is None
    assert "20261121-093000-a1b2c3" in semantest("runs", "--directory", folder).out


def test_what_is_no_backup_of_ours_is_refused(folder: Path, tmp_path: Path) -> None:
    database = folder / "semantest.db"
    before = dump(database)
    text, other, newer, damaged = (tmp_path / name for name in ("text.db", "other.db", "newer.db", "damaged.db"))
    text.write_text("a diary " * 1000)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE runs (id TEXT)")
    for copy in (newer, damaged):
        semantest("backup", copy, "--directory", folder)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    content = bytearray(damaged.read_bytes())
    content[8192:16384] = os.urandom(8192)
    damaged.write_bytes(content)
    for file, reason in ((text, "damaged"), (other, "another program"), (newer, "upgrade"), (damaged, "damaged")):
        for option in ([], ["--dry-run"]):
            said = semantest("restore", file, *option, "--directory", folder)
            assert said.code == 1
            assert reason in said.err
            assert len(said.err.splitlines()) == 1
    assert dump(database) == before
    assert list(folder.glob("*.before-*")) == []


def test_a_backup_that_is_not_there_is_told_with_its_own_exit_code(folder: Path) -> None:
    for options in ([], ["--dry-run"]):
        said = semantest("restore", "/no/such/file.db", *options, "--directory", folder)
        assert (said.code, said.out) == (3, "")
        assert said.err == "semantest: there is no file /no/such/file.db: name one that `semantest backup` wrote\n"


@pytest.mark.hazard(29)
def test_a_new_folder_is_made_before_a_backup_comes_into_it(folder: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    assert semantest("backup", backup, "--directory", folder).code == 0
    new = tmp_path / "a new one"
    said = semantest("restore", backup, "--directory", new)
    assert (said.code, said.err) == (
        3,
        f"semantest: there is no folder {new} to restore into: make it, `mkdir -m 700 '{new}'`, then restore again\n",
    )
    new.mkdir(mode=0o700)
    assert semantest("restore", backup, "--directory", new).code == 0
    assert dump(new / "semantest.db") == dump(backup)


def test_a_damaged_database_is_replaced_and_kept(folder: Path, tmp_path: Path) -> None:
    database, backup = folder / "semantest.db", tmp_path / "backup.db"
    semantest("backup", backup, "--directory", folder)
    database.write_bytes(b"a diary " * 1000)
    database.with_name("semantest.db-wal").write_bytes(b"of another life")
    said = semantest("restore", backup, "--json", "--directory", folder)
    assert said.code == 0, said.err
    assert dump(database) == dump(backup)
    kept = Path(said.json["kept"])
    assert kept.read_bytes().startswith(b"a diary")
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"of another life"


@pytest.mark.hazard(24)
def test_no_database_is_replaced_under_a_program_that_has_it_open(folder: Path, tmp_path: Path) -> None:
    database, backup = folder / "semantest.db", tmp_path / "backup.db"
    semantest("backup", backup, "--directory", folder)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM runs").fetchone()
        said = semantest("restore", backup, "--directory", folder)
        assert said.code == 1
        assert "another program has" in said.err
    assert list(folder.glob("*.before-*")) == []
    whole(database)

"""Another file in the database's place: there is a whole one at any time, and the old one is kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.errors import InUse
from semantest_recorder.store.exchange import exchange
from semantest_recorder.store.reader import Reader

from .ingesting import passed, recording, whole_run

NOON = 1_795_262_400_000.0


def database(path: Path, run: str) -> Path:
    with recording(path) as recorder:
        recorder.send(f"{run}.main", 1, whole_run(run, passed("a.py::t")))
    return path


def runs(path: Path) -> list[str]:
    return [row.id for row in Reader(path).runs()]


def test_the_old_file_is_kept_under_a_name_of_its_own(tmp_path: Path) -> None:
    path = database(tmp_path / "semantest.db", "first")
    kept = []
    for run in ("second", "third"):
        kept.append(exchange(database(tmp_path / "new.db", run), path, "restore", NOON))
        assert runs(path) == [run]
    names = ["semantest.db.before-restore-20261121T120000Z", "semantest.db.before-restore-20261121T120000Z-2"]
    assert [one.name for one in kept if one is not None] == names
    assert [runs(tmp_path / name) for name in names] == [["first"], ["second"]]


def test_commits_that_are_only_in_the_log_are_kept(tmp_path: Path) -> None:
    """A recorder that was killed has left them there."""
    path, left = database(tmp_path / "semantest.db", "first"), tmp_path / "left.db"
    with recording(path) as recorder:
        recorder.send("late.main", 1, whole_run("late", passed("a.py::t")))
        for suffix in ("", "-wal"):
            left.with_name(left.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
    kept = exchange(database(tmp_path / "new.db", "second"), left, "rebuild", NOON)
    assert kept is not None
    assert sorted(runs(kept)) == ["first", "late"]
    assert runs(left) == ["second"]


def test_a_file_that_is_in_use_stays(tmp_path: Path) -> None:
    path = database(tmp_path / "semantest.db", "first")
    new = database(tmp_path / "new.db", "second")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM runs").fetchone()
        with pytest.raises(InUse):
            exchange(new, path, "restore", NOON)
    assert runs(path) == ["first"]
    assert runs(new) == ["second"]


def test_a_second_name_that_a_killed_exchange_left_is_removed(tmp_path: Path) -> None:
    """The file would change under the name of a kept one."""
    path = database(tmp_path / "semantest.db", "first")
    stale = tmp_path / "semantest.db.before-restore-20261120T120000Z"
    stale.hardlink_to(path)
    kept = exchange(database(tmp_path / "new.db", "second"), path, "restore", NOON)
    assert not stale.exists()
    assert kept is not None
    assert runs(kept) == ["first"]

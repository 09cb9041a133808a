"""``rebuild``, with real files and beside a recorder that is at work."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.cli import load
from tests.recorder.cli.command import semantest
from tests.recorder.cli.history.kept import dump, wait_until, whole
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import Recording, green_run


def damage(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE results SET state = 'passed' WHERE state = 'failed'")
        connection.execute("DELETE FROM suites")
        connection.commit()


def test_a_rebuild_mends_and_says_what_was_wrong(folder: Path) -> None:
    database = folder / "semantest.db"
    good = semantest("rebuild", "--check", "--directory", folder)
    assert good.code == 0, good.err
    assert "no difference" in good.out
    damage(database)
    damaged = dump(database)
    checked = semantest("rebuild", "--check", "--json", "--directory", folder)
    assert checked.code == 1
    told = checked.json["differences"]
    assert {line.partition(" ")[0] for line in told} == {"results", "suites"}
    assert len([line for line in told if line.endswith("): state 'passed' -> 'failed'")]) == 3, "one line for each row"
    assert all(") missing in semantest.db: total " in line for line in told if line.startswith("suites (run '"))
    assert checked.json["kept"] is None
    assert dump(database) == damaged
    mended = semantest("rebuild", "--directory", folder)
    assert mended.code == 0, mended.err
    [kept] = folder.glob("semantest.db.before-rebuild-*")
    assert str(kept) in mended.out
    assert dump(kept) == damaged
    assert semantest("rebuild", "--check", "--directory", folder).code == 0
    assert files(folder) == ["semantest.db", kept.name]
    green_run("20261121-235959-ffffff").store(folder)
    whole(database)


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_an_older_version_is_rebuilt(tmp_path: Path, version: int) -> None:
    folder = tmp_path / ".semantest"
    folder.mkdir()
    script = Path(__file__).parents[2] / "store" / "databases" / f"version{version}.sql"
    with closing(sqlite3.connect(folder / "semantest.db")) as connection:
        connection.executescript(script.read_text())
    said = semantest("rebuild", "--json", "--directory", folder)
    assert said.code == 0, said.err
    told = {line.partition(" (")[0] for line in said.json["differences"]}
    assert told == {"runs", "sources"}, "an event that cannot be read did not count as a gap before"
    whole(folder / "semantest.db")


def test_a_check_goes_beside_a_recorder_and_leaves_nothing(served: Project) -> None:
    abandoned = served.folder / ".snapshot-999999999"
    abandoned.mkdir()
    (abandoned / "semantest.db").write_text("of a check that was killed")
    good = served.semantest("rebuild", "--check")
    assert (good.returncode, good.stderr) == (0, "")
    assert "no difference" in good.stdout
    damage(served.folder / "semantest.db")
    before = json.loads((served.folder / "recorder.json").read_text())
    checked = served.semantest("rebuild", "--check", "--json")
    assert checked.returncode == 1, checked.stderr
    told = json.loads(checked.stdout)
    assert told["database"] == str(served.folder / "semantest.db")
    assert any("missing in semantest.db" in line for line in told["differences"])
    assert not list(served.folder.glob(".snapshot-*"))
    assert json.loads((served.folder / "recorder.json").read_text()) == before


@pytest.mark.hazard(24)
def test_a_rebuild_and_a_restore_need_the_database_for_themselves(served: Project) -> None:
    backup = served.root / "backup.db"
    assert served.semantest("backup", str(backup)).returncode == 0
    for command in (["rebuild"], ["restore", str(backup)]):
        refused = served.semantest(*command)
        assert refused.returncode == 4
        assert "semantest-recorder stop" in refused.stderr
        assert "--stop" in refused.stderr
    before = json.loads((served.folder / "recorder.json").read_text())
    done = served.semantest("rebuild", "--stop")
    assert done.returncode == 0, done.stderr
    after = json.loads((served.folder / "recorder.json").read_text())
    assert after["pid"] != before["pid"]
    assert after["token"] == before["token"]
    assert json.loads(served.recorder("status", "--json").stdout)["options"]["idleTimeout"] == 3600
    client = load.Load(served.folder).start()
    events = client.finish()
    assert Reader(served.folder / "semantest.db").sources(load.RUN)[0].last_seq == events


@pytest.mark.hazard(18)
def test_a_rebuild_that_is_killed_changes_nothing(folder: Path) -> None:
    database = folder / "semantest.db"
    many = Recording("20261101-000000-eeeeee")
    many.start()
    for test in range(5000):
        many.test(f"b.py::t{test}")
    many.end()
    many.store(folder)
    damage(database)
    before = dump(database)
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", "rebuild", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: process.poll() is not None or draft_size(folder) > 100_000)
        process.kill()
    assert draft_size(folder) > 0, "it was in the middle of it"
    assert dump(database) == before
    assert semantest("rebuild", "--directory", folder).code == 0
    assert draft_size(folder) == 0
    whole(database)


def draft_size(folder: Path) -> int:
    draft = folder / "semantest.db.rebuilding"
    return draft.stat().st_size if draft.exists() else 0


def test_a_log_with_a_hole_is_told_and_nothing_changed(folder: Path) -> None:
    database = folder / "semantest.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM events WHERE source_key = 2 AND seq = 3")
        connection.commit()
    before = dump(database)
    said = semantest("rebuild", "--directory", folder)
    assert said.code == 1
    assert "cannot be replayed" in said.err
    assert dump(database) == before
    assert files(folder) == ["semantest.db"]


def files(folder: Path) -> list[str]:
    """The databases in the folder, without what SQLite has beside them."""
    names = sorted(path.name for path in folder.glob("semantest.db*"))
    return [name for name in names if not name.endswith(("-wal", "-shm"))]

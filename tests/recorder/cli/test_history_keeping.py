"""``cleanup``, ``backup``, ``restore`` and ``rebuild``, with real files and beside a recorder that is at work."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from semantest_recorder.store.backup import _copy
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild
from semantest_recorder.store.schema import SCHEMA_VERSION
from tests.recorder.cli import load
from tests.recorder.cli.command import semantest
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import DEAD_PID, START, Recording, green_run, small_run

DAY = 86_400_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three runs: of today, of ten days ago, of forty days ago."""
    found = tmp_path / ".semantest"
    for name, days in (("20261012-000000-000040", 40), ("20261111-000000-000010", 10), ("20261121-000000-000000", 0)):
        run_of(name, days).store(found)
    return found


def run_of(name: str, days: float, **more: Any) -> Recording:
    return small_run(name, start_ms=time.time() * 1000 - days * DAY, **more)


def ids(folder: Path) -> list[str]:
    return [row.id[-6:].lstrip("0") or "0" for row in Reader(folder / "semantest.db").runs(100)]


def whole(database: Path) -> None:
    """Nothing is damaged, and every row is what the log says."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = database.with_name("compared.db")
    rebuild(database, again)
    assert differences(database, again) == []
    for suffix in ("", "-wal", "-shm"):
        again.with_name(again.name + suffix).unlink(missing_ok=True)


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


# -- cleanup ----------------------------------------------------------------------------------------------------


def test_a_dry_run_only_shows(folder: Path) -> None:
    before = dump(folder / "semantest.db")
    said = semantest("cleanup", "--older-than", "30d", "--dry-run", "--directory", folder)
    assert said.code == 0
    assert "20261012-000000-000040" in said.out
    assert "1 of 3 runs" in said.out
    assert dump(folder / "semantest.db") == before
    plan = semantest("cleanup", "--keep", "1", "--dry-run", "--json", "--directory", folder).json
    assert [run["id"][-2:] for run in plan["runs"]] == ["40", "10"]
    assert plan["bytes"] == sum(run["bytes"] for run in plan["runs"]) > 0
    assert plan["done"] is None
    assert plan["dryRun"] is True


def test_nothing_goes_unasked(folder: Path) -> None:
    said = semantest("cleanup", "--keep", "1", "--directory", folder)
    assert said.code == 2
    assert "--yes" in said.err
    assert len(ids(folder)) == 3


@pytest.mark.parametrize(("answer", "left"), [("y", ["0"]), ("n", ["0", "10", "40"])])
def test_on_a_terminal_it_asks(folder: Path, answer: str, left: list[str]) -> None:
    terminal, end = os.openpty()
    os.write(terminal, f"{answer}\n".encode())
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", "cleanup", "--keep", "1"]
    done = subprocess.run(
        [*command, "--directory", folder], stdin=end, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(terminal)
    os.close(end)
    assert "Delete them?" in done.stderr
    assert done.returncode == (0 if answer == "y" else 1)
    assert ids(folder) == left


def test_what_the_policies_name_goes(folder: Path) -> None:
    said = semantest("cleanup", "--older-than", "30d", "--yes", "--directory", folder)
    assert said.code == 0, said.err
    assert "deleted 1 run" in said.out
    assert ids(folder) == ["0", "10"]
    done = semantest("cleanup", "--max-size", "1B", "--yes", "--json", "--directory", folder).json["done"]
    assert done["deleted"] == ["20261111-000000-000010"]
    assert ids(folder) == ["0"]
    whole(folder / "semantest.db")
    again = semantest("cleanup", "--max-size", "1B", "--yes", "--directory", folder)
    assert again.out == "Nothing to delete: 1 run may stay.\n"


def test_runs_are_counted_per_label(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    for number in range(4):
        recording = Recording(f"20261121-00000{number}-aaaaaa", start_ms=START + number)
        recording.start(labels={"os": "linux" if number else "macos"})
        recording.test("a.py::t")
        recording.end()
        recording.store(folder)
    semantest("cleanup", "--keep", "1", "--per", "label:os", "--yes", "--directory", folder)
    assert {row.labels["os"]: row.id for row in Reader(folder / "semantest.db").runs()} == {
        "linux": "20261121-000003-aaaaaa",
        "macos": "20261121-000000-aaaaaa",
    }


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ([], "say what may go"),
        (["--older-than", "30"], "such as 30d"),
        (["--older-than", "-1d"], "such as 30d"),
        (["--max-size", "much"], "such as 1GB"),
        (["--keep", "-1"], "--keep"),
        (["--keep", "1", "--per", "label:"], "label:KEY"),
    ],
)
def test_bad_wishes_are_told(folder: Path, arguments: list[str], advice: str) -> None:
    said = semantest("cleanup", *arguments, "--yes", "--directory", folder)
    assert said.code == 2
    assert advice in said.err
    assert len(ids(folder)) == 3


def test_attachments_that_no_event_names_go(folder: Path) -> None:
    database = folder / "semantest.db"
    files = {}
    for name, days in (("20261001-000000-000050", 50), ("20261121-010000-000001", 0)):
        files[name] = artifact(folder, name.encode())
        recording = Recording(name, start_ms=time.time() * 1000 - days * DAY)
        recording.start()
        recording.begin("a.py::t")
        recording.add("main", "test/attachment", {"testId": "a.py::t", "sha256": files[name].name})
        recording.end()
        recording.store(folder)
    young = artifact(folder, b"its event comes soon", age_s=0)
    stranger = folder / "artifacts" / "ab" / "notes.txt"
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_text("not ours")
    os.utime(stranger, (1, 1))
    said = semantest("cleanup", "--older-than", "45d", "--yes", "--json", "--directory", folder).json
    assert said["done"]["artifacts"] == 1
    assert [file.exists() for file in files.values()] == [False, True]
    assert young.exists()
    assert stranger.exists()
    whole(database)


def test_attachments_of_no_run_are_shown_and_asked_for(folder: Path) -> None:
    """They may belong to a database that was set aside."""
    lonely = artifact(folder, b"of a run that is in no database")
    planned = semantest("cleanup", "--keep", "500", "--dry-run", "--directory", folder)
    assert planned.out == "1 attachment of no run, 31 B; 3 runs may stay.\n"
    refused = semantest("cleanup", "--keep", "500", "--directory", folder)
    assert (refused.code, "--yes" in refused.err, lonely.exists()) == (2, True, True)
    done = semantest("cleanup", "--keep", "500", "--yes", "--directory", folder)
    assert "deleted 0 runs, 1 attachment of 31 B" in done.out
    assert not lonely.exists()


def artifact(folder: Path, content: bytes, age_s: float = 2 * 86_400) -> Path:
    name = sha256(content).hexdigest()
    path = folder / "artifacts" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


# -- beside a recorder ------------------------------------------------------------------------------------------


@pytest.fixture
def served(project: Project, folder: Path) -> Project:
    """The project with a recorder that serves it."""
    started = project.recorder("start", "--idle-timeout", "3600")
    assert started.returncode == 0, started.stderr
    return project


def test_recording_goes_on_while_history_is_kept(served: Project) -> None:
    database = served.folder / "semantest.db"
    client = load.Load(served.folder).start()
    backup = served.root / "backup.db"
    wrote = served.semantest("backup", str(backup), "--json")
    assert wrote.returncode == 0, wrote.stderr
    client.wait_for(1)
    cleaned = served.semantest("cleanup", "--keep", "1", "--yes", "--json")
    assert cleaned.returncode == 0, cleaned.stderr
    done = json.loads(cleaned.stdout)["done"]
    client.wait_for(1)
    events = client.finish()
    assert load.RUN not in done["deleted"]
    assert len(done["deleted"]) == 3
    assert [row.id for row in Reader(database).runs()] == [load.RUN]
    assert Reader(database).sources(load.RUN)[0].last_seq == events
    whole(database)
    contents = json.loads(wrote.stdout)["contents"]
    assert contents["runs"] == 4
    assert contents["events"] == sum(row.last_seq for row in sources(backup))
    whole(backup)


def test_a_cleanup_beside_a_recorder_leaves_less_and_all_tell_the_same_size(served: Project) -> None:
    """The deletion stands in the log: the database would be larger than before."""
    cleaned = served.semantest("cleanup", "--keep", "1", "--yes", "--json")
    assert cleaned.returncode == 0, cleaned.stderr
    done = json.loads(cleaned.stdout)["done"]
    assert len(done["deleted"]) == 2
    database = served.folder / "semantest.db"
    assert done["bytesAfter"] == database.stat().st_size <= done["bytesBefore"]
    assert database.with_name("semantest.db-wal").stat().st_size == 0
    status = json.loads(served.recorder("status", "--json").stdout)
    assert status["databaseBytes"] == done["bytesAfter"]


def sources(database: Path) -> list[Any]:
    reader = Reader(database)
    return [source for run in reader.runs() for source in reader.sources(run.id)]


@pytest.mark.hazard(18)
def test_a_recorder_killed_in_the_middle_of_a_cleanup_loses_nothing(served: Project) -> None:
    database = served.folder / "semantest.db"
    for number in range(3):
        many = Recording(f"20261101-00000{number}-eeeeee", start_ms=time.time() * 1000 - 20 * DAY)
        many.start()
        for test in range(3000):
            many.test(f"b.py::t{test}_{number}")
        many.end()
        served.stop_recorder()
        many.store(served.folder)
    assert served.recorder("start").returncode == 0
    client = load.Load(served.folder).start()
    cleaning = served.popen("cleanup", "--older-than", "15d", "--yes")
    wait_until(lambda: count(database, "unswept") > 0)
    os.kill(json.loads((served.folder / "recorder.json").read_text())["pid"], signal.SIGKILL)
    _out, err = cleaning.communicate(timeout=load.DEADLINE_S)
    assert cleaning.returncode == 1
    assert "run it again" in err
    assert count(database, "unswept") > 0, "it was in the middle of it"
    assert served.recorder("start").returncode == 0
    client.wait_for(1)
    again = served.semantest("cleanup", "--older-than", "15d", "--yes")
    assert again.returncode == 0, again.stderr
    events = client.finish()
    assert ids(served.folder)[1:] == ["0", "10"]
    assert Reader(database).sources(load.RUN)[0].last_seq == events
    assert count(database, "unswept") == 0
    whole(database)


def count(database: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + load.DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline


def test_the_route_of_the_cleanup(served: Project) -> None:
    found = json.loads((served.folder / "recorder.json").read_text())
    address = urlsplit(found["url"])

    def post(body: str | bytes, token: str) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as connection:
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("POST", "/api/v1/cleanup", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    assert post('{"runs": []}', "smt_wrong")[0] == 401
    many = json.dumps({"runs": ["x"] * 1001})
    unreadable = (b'{"runs": ["\xff"]}', b'{"runs": ' + b"[" * 100_000)
    for body in ("", "[]", '{"runs": [1]}', '{"runs": [], "all": true}', many, *unreadable):
        status, answer = post(body, found["token"])
        assert (status, answer["code"]) == (400, "INVALID_REQUEST")
    unknown = json.dumps({"runs": ["no such run", "20261012-000000-000040"]})
    assert post(unknown, found["token"]) == (200, {"deleted": ["20261012-000000-000040"], "kept": []})


# -- backup and restore -----------------------------------------------------------------------------------------


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
    script = Path(__file__).parents[1] / "store" / "databases" / f"version{version}.sql"
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


# -- rebuild ----------------------------------------------------------------------------------------------------


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
    script = Path(__file__).parents[1] / "store" / "databases" / f"version{version}.sql"
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


def test_a_rebuild_needs_the_database_for_itself(served: Project) -> None:
    refused = served.semantest("rebuild")
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

"""``cleanup``, with real files and beside a recorder that is at work."""

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

from semantest_recorder.store.reader import Reader
from tests.recorder.cli import load
from tests.recorder.cli.command import semantest
from tests.recorder.cli.history.kept import DAY, dump, ids, wait_until, whole
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import START, Recording


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
        (["--older-than", "30"], "such as 15m or 30d"),
        (["--older-than", "-1d"], "such as 15m or 30d"),
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


@pytest.mark.hazard(26)
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

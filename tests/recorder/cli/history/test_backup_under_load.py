"""Backups while events stream in, and who opens the database how meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.cli import load
from tests.recorder.cli.command import semantest
from tests.recorder.cli.history.kept import whole
from tests.recorder.cli.project import Project
from tests.recorder.cli_recorder.daemons import Daemon, environment

pytestmark = pytest.mark.hazard(26)

#: Notes which database its process opens, as Python's own audit events tell it.
NOTING = """
import os, sys

def note(event, arguments):
    if event == "sqlite3.connect":
        with open(os.environ["OPENED"], "a") as file:
            file.write(f"{os.getpid()} {os.fspath(arguments[0])}\\n")

sys.addaudithook(note)
"""
#: Commands of people, all in one process.
COMMANDS = """
import sitecustomize
from semantest_recorder.cli.semantest import main

for command in ("runs", "report", "show t1", "backup copy.db", "rebuild --check", "cleanup --keep 1 --yes"):
    try:
        code = main(command.split(), standalone_mode=False) or 0
    except SystemExit as end:
        code = end.code
    print("ended:", command.partition(" ")[0], code)
"""


def test_each_is_whole_and_has_the_beginning_of_what_streams_in(served: Project) -> None:
    client = load.Load(served.folder).start()
    for number in range(2):
        client.wait_for(1)
        backup, before = served.root / f"backup{number}.db", client.acked
        wrote = semantest("backup", backup, "--json", "--directory", served.folder)
        after = len(client.events)
        assert wrote.code == 0, wrote.err
        whole(backup)
        (source,) = Reader(backup).sources(load.RUN)
        assert before <= source.last_seq <= after
        assert wrote.json["contents"]["runs"] == 4
    events = client.finish()
    assert Reader(served.folder / "semantest.db").sources(load.RUN)[0].last_seq == events
    whole(served.folder / "semantest.db")


def test_one_connection_writes_whatever_commands_and_clients_ask(tmp_path: Path) -> None:
    """Two that write and checkpoint could meet the WAL-reset bug of SQLite before 3.51.3."""
    folder, opened = tmp_path / ".semantest", tmp_path / "opened"
    (tmp_path / "sitecustomize.py").write_text(NOTING)
    noting = {"PYTHONPATH": str(tmp_path), "OPENED": str(opened)}
    daemon = Daemon(folder, **noting).ready()
    try:
        client = load.Load(folder).start()
        client.wait_for(1)  # the first test is there
        connection = daemon.connect()
        for asked in ("getStatistics", "getActiveRuns"):
            connection.send(json.dumps({"type": asked, "payload": {}}))
            assert json.loads(connection.recv())["type"] != "error"
        command = [sys.executable, "-c", COMMANDS]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(**noting), capture_output=True, text=True, check=True
        )
        ended = [line.removeprefix("ended: ") for line in done.stdout.splitlines() if line.startswith("ended: ")]
        assert ended == ["runs 0", "report 4", "show 0", "backup 0", "rebuild 0", "cleanup 0"], done.stderr
        assert (tmp_path / "copy.db").exists()
        client.finish()
        connection.close()
    finally:
        daemon.end()
    found = [line.split(" ", 1) for line in opened.read_text().splitlines()]
    database = str(folder / "semantest.db")
    ours = [(int(pid), name) for pid, name in found if database in name and ".rebuilding" not in name]
    assert len({pid for pid, _name in ours}) == 2
    assert [pid for pid, name in ours if not name.endswith("?mode=ro")] == [daemon.process.pid]

"""Another program writes the same database file all the time: no transaction of ours is cut off by it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest

from semantest_recorder.core.batch import Committed
from semantest_recorder.store.cleanup import Cleanup
from semantest_recorder.store.reader import Reader

from .ingesting import DEADLINE, Recorder, passed, recording, whole_run

pytestmark = pytest.mark.hazard(24)

#: Commits to a table of its own until its input ends.
WRITER = """
import sqlite3, sys, threading, time

over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
connection.execute("PRAGMA synchronous = OFF")
commits = 0
while not over.is_set():
    connection.execute("INSERT INTO notes VALUES (1)")
    commits += 1
    if commits == 1:
        print("ready", flush=True)
    time.sleep(0.0005)
"""


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with recording(tmp_path / "semantest.db") as found:
        yield found


@pytest.fixture
def other(recorder: Recorder) -> Iterator[subprocess.Popen[str]]:
    """The other program, at work."""
    with closing(sqlite3.connect(recorder.writer.path)) as connection:
        connection.execute("CREATE TABLE notes (number INTEGER)")
    command = [sys.executable, "-c", WRITER, str(recorder.writer.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_transaction_that_reads_first_is_not_refused_for_what_was_committed_meanwhile(
    recorder: Recorder, other: subprocess.Popen[str]
) -> None:
    runs: list[str] = []
    while len(runs) < 20 or commits(recorder.writer.path) < 20:
        assert other.poll() is None, "it commits as long as it lives"
        runs.append(f"r{len(runs)}")  # each transaction reads what is known of its sources and tests before it writes
        sent = whole_run(runs[-1], [one for test in range(20) for one in passed(f"a.py::t{test}")])
        verdict = recorder.send(f"{runs[-1]}.main", 1, sent)
        assert isinstance(verdict, Committed), verdict
    ended: Queue[Exception | None] = Queue()
    work = Cleanup(runs[:10], time.time() * 1000)
    recorder.writer.between(work.step, ended.put)
    assert ended.get(timeout=DEADLINE) is None
    assert work.cleaned.deleted == runs[:10]
    assert other.poll() is None, "it was at work meanwhile"
    found = {row.id: row.state for row in Reader(recorder.writer.path).runs(10_000)}
    assert found == dict.fromkeys(runs[10:], "passed")


def commits(path: Path) -> int:
    """Of the other program."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM notes").fetchone()[0])

"""SIGKILL in the middle of ingesting: what was acknowledged is there, nothing is there twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.comparison import differences
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild

from . import killed_writer
from .ingesting import RUN


def run_and_kill(path: Path, after: int, acks: int) -> int:
    """Lets the writer acknowledge ``acks`` batches from seq ``after`` on, kills it; the last seq it acknowledged."""
    command = [sys.executable, killed_writer.__file__ or "", str(path), RUN, str(after)]
    acked = after
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout, 1):
            assert line.strip().isdigit(), line
            acked = max(acked, int(line))
            if number >= acks:
                process.kill()
                break
        rest = process.stdout.read().split()
    return max([acked, *map(int, rest)])


@pytest.mark.hazard(18)
@pytest.mark.hazard(19)
def test_killed_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "semantest.db"
    total = len(killed_writer.events_of(RUN))
    chance = random.Random(18)
    acked = kills = 0
    while acked < total:
        # What was acknowledged last may not have reached the sender: it goes back and sends some of it again.
        again = max(0, acked - chance.choice((0, 0, 7, 50)))
        acked = max(acked, run_and_kill(path, again, chance.randint(1, 40)))
        kills += 1
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT count(*), max(seq) FROM events").fetchone()
            assert found[0] == found[1] >= acked
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            told = connection.execute("SELECT last_seq FROM sources").fetchone()[0]
            assert told == found[1]
    assert kills > 3
    reader = Reader(path)
    assert reader.run(RUN).state == "passed"
    assert len(reader.results(RUN)) == killed_writer.TESTS
    rebuild(path, tmp_path / "again.db")
    assert differences(path, tmp_path / "again.db") == []

"""A damaged database that is too large to be read through at each start: it must not keep the recorder from serving."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.opening import MAGIC
from semantest_recorder.store.reader import Reader
from tests.recorder.cli_recorder.daemons import Daemon, run
from tests.recorder.store.damaging import CHECKED_BYTES, damage, grow

pytestmark = pytest.mark.hazard(29)


def test_it_is_set_aside_when_the_runs_that_are_not_over_cannot_be_read(
    serve: Callable[..., Daemon], project: Path
) -> None:
    database = project / ".semantest" / "semantest.db"
    assert serve().ready().end()[0] == 0
    grow(database)
    damage(database, "runs")
    started = run("start", cwd=project)
    assert started.returncode == 0, started.stderr
    (aside,) = database.parent.glob("*.corrupt-*Z")
    assert aside.stat().st_size > CHECKED_BYTES
    assert aside.read_bytes()[: len(MAGIC)] == MAGIC
    assert Reader(database).runs() == []
    assert aside.name in (database.parent / "recorder.log").read_text()


def test_one_that_is_whole_and_cannot_be_read_is_told_in_a_record_and_left_alone(
    serve: Callable[..., Daemon], project: Path
) -> None:
    database = project / ".semantest" / "semantest.db"
    assert serve().ready().end()[0] == 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP INDEX runs_by_time")
        connection.execute("ALTER TABLE runs RENAME TO others")
    started = run("start", cwd=project)
    assert (started.returncode, started.stdout, started.stderr.count("\n")) == (1, "", 1)
    assert "no such table: runs" in started.stderr
    last = (database.parent / "recorder.log").read_text().splitlines()[-1]
    assert " ERROR cannot open " in last
    assert list(database.parent.glob("*.corrupt-*")) == []

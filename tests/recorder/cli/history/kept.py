"""Runs of several days in a database, and what is to hold for it whatever becomes of them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from semantest_recorder.store.comparison import differences
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild
from tests.recorder.cli import load
from tests.recorder.cli.recording import Recording, small_run

DAY = 86_400_000.0


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


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + load.DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline

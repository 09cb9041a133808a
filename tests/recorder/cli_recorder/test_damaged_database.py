"""A damaged database that is too large to be read through at each start: it must not keep the recorder from serving."""

from __future__ import annotations

from collections.abc import Callable
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
    damage(database, "runs_by_start")
    started = run("start", cwd=project)
    assert started.returncode == 0, started.stderr
    (aside,) = database.parent.glob("*.corrupt-*Z")
    assert aside.stat().st_size > CHECKED_BYTES
    assert aside.read_bytes()[: len(MAGIC)] == MAGIC
    assert Reader(database).runs() == []
    assert aside.name in (database.parent / "recorder.log").read_text()

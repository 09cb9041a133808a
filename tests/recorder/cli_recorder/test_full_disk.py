"""A disk that is full to the last byte: the recorder acknowledges nothing, says so, and goes on when there is room."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.recorder.cli_recorder.daemons import Daemon, answer_of, ask, wait_until
from tests.recorder.server.running import batch, records_of_test, run_start
from tests.recorder.small_disk import fill, small_disk


@pytest.fixture(name="disk")
def _disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def get(daemon: Daemon, path: str) -> tuple[int, bytes]:
    found = daemon.discovery
    return answer_of(found["url"], "GET", path, found["token"])


@pytest.mark.hazard(22)
def test_it_takes_nothing_says_so_and_goes_on(serve: Callable[..., Daemon], disk: Path) -> None:
    daemon = serve(folder=disk / ".semantest").ready()
    client = daemon.connect()
    events = [run_start(), *(record for number in range(500) for record in records_of_test(number))]
    assert ask(client, batch(1, events[:1]))["type"] == "ack"
    fill(disk / "ballast")
    for _ in range(2):
        refused = ask(client, batch(2, events[1:]))
        assert (refused["type"], refused["code"] in ("STORE_FULL", "STORE_ERROR")) == ("error", True)
    assert get(daemon, "/healthz")[0] == 200
    assert get(daemon, "/readyz")[0] == 503
    status = json.loads(get(daemon, "/api/v1/status")[1])
    assert (status["status"], status["storeError"]) == ("degraded", refused["message"])
    assert "full" in status["storeError"]
    (disk / "ballast").unlink()
    wait_until(lambda: get(daemon, "/readyz")[0] == 200, "it takes something again")
    assert ask(client, batch(2, events[1:]))["seq"] == len(events)
    code, _out, err = daemon.end()
    assert (code, err.count("full")) == (0, 1), "said once"
    with closing(sqlite3.connect(disk / ".semantest" / "semantest.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = [seq for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq")]
    assert stored == list(range(1, len(events) + 1))

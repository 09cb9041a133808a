"""``semantest watch --wait``: which run is the next one."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from semantest_recorder.cli.screens import PlainScreen
from semantest_recorder.cli.stop import NothingRecorded
from semantest_recorder.cli.watching import Watching
from semantest_recorder.store.errors import RunNotFound
from tests.recorder.cli.recording import RUN, START, green_run, small_run

_SECONDS = 90.0


def watched(watching: Watching) -> str:
    return asyncio.run(asyncio.wait_for(watching.until_it_ends(), _SECONDS)).state


@pytest.mark.parametrize("recorded", [False, True], ids=["in an empty folder", "after another run"])
def test_a_run_that_is_over_when_it_is_seen_was_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recorded: bool
) -> None:
    if recorded:
        green_run("20261121-080000-aaaaaa", start_ms=START - 1e6).store(tmp_path)
    watching = Watching(tmp_path, None, PlainScreen(), wait=True)
    small_run().store(tmp_path)
    assert watched(watching) == "failed"
    assert f"{RUN}: failed" in capsys.readouterr().out


def test_nothing_runs_is_said_at_once_and_alone(tmp_path: Path) -> None:
    def needs_nobody(name: str | None) -> str:
        with pytest.raises((NothingRecorded, RunNotFound)) as raised:
            watched(Watching(tmp_path, name, PlainScreen(), wait=False))
        return str(raised.value)

    green_run().store(tmp_path)
    with listening() as port:
        discovery = {"pid": os.getpid(), "url": f"http://127.0.0.1:{port}", "token": "smt_x", "version": "0"}
        (tmp_path / "recorder.json").write_text(json.dumps(discovery | {"protocolVersion": 1}))
        assert needs_nobody(None).startswith(f"nothing runs: the last run, {RUN}, is passed")
        assert needs_nobody("zzz").startswith("no run 'zzz'")


@contextmanager
def listening() -> Iterator[int]:
    """Somebody who answers nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_run_that_is_over_is_shown_without_a_recorder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_run().store(tmp_path)
    with listening() as port:
        discovery = {"pid": os.getpid(), "url": f"http://127.0.0.1:{port}", "token": "smt_x", "version": "0"}
        (tmp_path / "recorder.json").write_text(json.dumps(discovery | {"protocolVersion": 1}))
        assert watched(Watching(tmp_path, RUN, PlainScreen(), wait=False)) == "failed"
    assert f"{RUN}: failed" in capsys.readouterr().out

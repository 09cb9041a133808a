"""``semantest watch --wait``: which run is the next one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from semantest_recorder.cli.screens import PlainScreen
from semantest_recorder.cli.watching import Watching
from tests.recorder.cli.recording import RUN, START, green_run, small_run

_SECONDS = 90.0


def watched(watching: Watching) -> str:
    return asyncio.run(asyncio.wait_for(watching.until_it_ends(), _SECONDS))


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

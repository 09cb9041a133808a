"""A run whose clock was ten years ahead is not the last one for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantest_recorder.store.reader import Reader
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording

AHEAD = "20361121-000000-abcdef"
YEARS_MS = 10 * 365 * 86_400_000.0


def a_run(name: str, start_ms: float, exit_code: int = 0) -> Recording:
    run = Recording(name, start_ms=start_ms)
    run.start()
    run.plan("a.py::test")
    run.test("a.py::test", "failed" if exit_code else "passed")
    run.end(exit_code)
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """First came the run that says it is of 2036, then one that failed."""
    folder = tmp_path / ".semantest"
    a_run(AHEAD, START + YEARS_MS).store(folder, START)
    a_run(RUN, START + 60_000, 1).store(folder)
    return folder


def test_the_last_run_is_the_one_that_came_last(folder: Path) -> None:
    said = semantest("report", "--directory", folder)
    assert (said.code, RUN in said.out) == (1, True)
    _head, *rows = semantest("runs", "--directory", folder).out.splitlines()
    assert [row.split()[0] for row in rows] == [RUN, AHEAD]
    assert [row.run_id for row in Reader(folder / "semantest.db").history("a.py::test")] == [RUN, AHEAD]


def test_a_run_that_only_journals_have_comes_behind_it(folder: Path) -> None:
    later = "20261121-100000-bbbbbb"
    a_run(later, START + 120_000, 1).journal(folder)
    said = semantest("report", "--directory", folder, "--sync-timeout", "0")
    assert (said.code, later in said.out) == (1, True)
    _head, first, *_rest = semantest("runs", "--directory", folder, "--sync-timeout", "0").out.splitlines()
    assert first.split()[0] == later


def test_a_cleanup_keeps_the_newer_run(folder: Path) -> None:
    said = semantest("cleanup", "--directory", folder, "--keep", "1", "--yes", "--json")
    assert [run["id"] for run in said.json["runs"]] == [AHEAD]

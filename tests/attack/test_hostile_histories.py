"""Histories that somebody made to break or deceive the one that they are merged into."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import Recording, green_run

_ENDLESS = "WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless)"


def half_recorded() -> Recording:
    """A session of which a worker's test is lost."""
    run = Recording("20261121-093000-a1b2c3")
    run.start()
    run.plan("a.py::test_1", "a.py::test_2")
    run.start("gw0")
    run.test("a.py::test_1", "passed", "gw0")
    run.end(0, "gw0")
    run.end(0)
    return run


def report(folder: Path) -> Any:
    return semantest("report", "--json", "--directory", folder).json


def merge(folder: Path, *arguments: str | Path) -> Said:
    return semantest("merge", *arguments, "--directory", folder)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "here"


@pytest.fixture
def forged(tmp_path: Path) -> Callable[..., Path]:
    """A history with a green run, changed by SQL."""

    def make(*statements: str, run_id: str = "there") -> Path:
        folder = tmp_path / "there" / ".semantest"
        green_run("20261121-094000-eeeeee", run_id=run_id).store(folder)
        with closing(sqlite3.connect(folder / "semantest.db")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return folder

    return make


def test_a_session_that_was_recorded_here_gets_no_further_worker(tmp_path: Path, here: Path) -> None:
    half_recorded().store(here)
    before = report(here)
    assert before["run"]["state"] == "failed"
    more = half_recorded()
    more.start("gw9")
    more.test("a.py::test_2", "passed", "gw9")
    more.end(0, "gw9")
    more.store(tmp_path / "there")
    said = merge(here, tmp_path / "there")
    assert (said.code, report(here)) == (1, before)
    assert "gw9 of run 20261121-093000-a1b2c3 was not taken: its session was recorded here" in said.err


def test_a_database_cannot_give_events_of_one_run_for_those_of_another(here: Path, forged: Callable[..., Path]) -> None:
    there = forged("UPDATE runs SET id = 'nightly'", run_id="recorded")
    for how in (["--run", "nightly"], ["--run-id", "copy"], []):
        said = merge(here, there, *how)
        assert (said.code, "its first event is of run 'recorded'" in said.err) == (1, True), said.err
    assert semantest("runs", "--directory", here).code == 3


def test_a_text_that_is_none_is_told_of_its_source_and_the_others_are_taken(
    here: Path, forged: Callable[..., Path]
) -> None:
    there = forged("UPDATE events SET type = CAST(x'ff' AS TEXT) WHERE seq = 2")
    other = Recording("20261121-095000-dddddd")
    other.start()
    other.end(5)
    other.store(there)
    said = merge(here, there)
    assert said.code == 1
    assert "20261121-094000-eeeeee.main of run there was not taken: it cannot be read: " in said.err
    assert [run["id"] for run in semantest("runs", "--json", "--directory", here).json["runs"]] == [other.run_id]


@pytest.mark.parametrize("name", ["events", "Sources"])
def test_a_view_in_the_place_of_a_table_is_not_read(here: Path, forged: Callable[..., Path], name: str) -> None:
    """It could take for ever, while no recorder may write here."""
    there = forged(
        f"ALTER TABLE {name} RENAME TO aside", f"CREATE VIEW {name} AS {_ENDLESS} SELECT * FROM aside, endless"
    )
    said = merge(here, there)
    assert (said.code, f"its {name.lower()} is no table" in said.err) == (1, True), said.err


def test_a_list_of_sources_that_no_recorder_wrote_is_told(here: Path, forged: Callable[..., Path]) -> None:
    columns = "batch_key INTEGER, source_key INTEGER, received_ms"
    there = forged(
        "DROP TABLE batches", f"CREATE TABLE batches ({columns})", "INSERT INTO batches VALUES (1, 1, 'soon')"
    )
    said = merge(here, there)
    assert (said.code, "holds what no recorder wrote" in said.err) == (1, True), said.err


def test_a_link_in_the_place_of_a_database_is_not_followed(tmp_path: Path, here: Path) -> None:
    green_run().store(tmp_path / "of another project")
    linked = tmp_path / "artifacts" / ".semantest"
    linked.mkdir(parents=True)
    (linked / "semantest.db").symlink_to(tmp_path / "of another project" / "semantest.db")
    said = merge(here, tmp_path / "artifacts")
    assert (said.code, "it is a symbolic link" in said.err) == (1, True), said.err
    assert semantest("runs", "--directory", here).code == 3

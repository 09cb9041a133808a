"""What runs owe, out of a database with real runs in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.owed_reading import answer_owed
from tests.recorder.cli.recording import RUN, START, Recording, small_run

AGAIN = "20261121-100000-d4e5f6"


def rerun(*of: str, outcome: str = "passed") -> Recording:
    recording = Recording(AGAIN, start_ms=START - 3_600_000)  # by a clock that is behind
    recording.start(rerunOf=[*of])
    recording.plan("a.py::test_bad")
    recording.test("a.py::test_bad", outcome)
    recording.end(int(outcome == "failed"))
    return recording


def test_a_rerun_settles_what_it_passed(tmp_path: Path) -> None:
    database = tmp_path / "semantest.db"
    small_run().store(tmp_path)
    before = answer_owed(database, [RUN[:12]])
    assert (before.runs, before.state, before.outstanding, len(before.tests)) == ([RUN], "failed", 1, 4)
    rerun(RUN).store(tmp_path)
    for name in (RUN, AGAIN):
        after = answer_owed(database, [name])
        assert (after.chain, after.state, after.outstanding, len(after.tests)) == ([RUN, AGAIN], "passed", 0, 4)
        assert after.tests["a.py::test_bad"].state == "passed"


def test_a_rerun_whose_first_run_is_gone_owes_what_nobody_knows(tmp_path: Path) -> None:
    rerun("20200101-000000-aaaaaa").store(tmp_path)
    found = answer_owed(tmp_path / "semantest.db", ["last"])
    assert (found.missing, found.state) == (["20200101-000000-aaaaaa"], "failed")


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        (f"{RUN}x", "RUN_NOT_FOUND", f"did you mean {RUN}"),
        ("2026", "RUN_NOT_FOUND", "the start of 2 runs"),
        (AGAIN, "INVALID_REQUEST", "was not started by pytest"),
    ],
)
def test_what_cannot_be_rerun_is_refused(tmp_path: Path, name: str, code: str, text: str) -> None:
    small_run().store(tmp_path)
    other = Recording(AGAIN)
    other.start(origin="client")
    other.end()
    other.store(tmp_path)
    with pytest.raises(Refusal, match=text) as refused:
        answer_owed(tmp_path / "semantest.db", [name])
    assert refused.value.code == code


def test_without_a_database_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        answer_owed(tmp_path / "semantest.db", ["last"])
    assert refused.value.code == "RUN_NOT_FOUND"


def test_other_names_of_what_is_owed_are_told(tmp_path: Path) -> None:
    small_run().store(tmp_path)
    with closing(sqlite3.connect(tmp_path / "semantest.db")) as connection, connection:
        connection.execute("INSERT INTO aliases VALUES ('a.py', 'c.py', 'added', 1.0, '', NULL, NULL)")
    found = answer_owed(tmp_path / "semantest.db", ["last"])
    assert found.aliases == {"a.py::test_bad": ["c.py::test_bad"]}

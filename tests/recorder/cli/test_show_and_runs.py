"""``semantest show`` and ``semantest runs`` over databases that the real writer made."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run
from tests.recorder.cli.suite_runs import PASSED, record_run, run_id

LATER = "20261121-094500-ffffff"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / ".semantest"
    small_run().store(folder)
    later = Recording(LATER, start_ms=START + 900_000)
    later.start()
    later.plan("a.py::test_bad", "c.py::test_new")
    later.test("a.py::test_bad")
    later.test("c.py::test_new")
    later.end(0)
    later.store(folder)
    return folder


def test_runs_of_a_branch_and_how_many_are_not_shown(tmp_path: Path) -> None:
    for number, branch in enumerate(("main", "fees", "main", "main"), 1):
        record_run(tmp_path, number, {"a.py::test_a": PASSED}, branch=branch)

    def listed(*options: str) -> tuple[list[str], str]:
        said = semantest("runs", "--directory", tmp_path, *options)
        assert said.code == 0
        return [line.split("  ")[0] for line in said.out.splitlines()[1:]], said.err

    more = "semantest: there are more: --limit 0 lists all\n"
    assert listed("--branch", "fees") == ([run_id(2)], "")
    assert listed("--limit", "2") == ([run_id(4), run_id(3)], more)
    assert listed("--limit", "3", "--branch", "main") == ([run_id(4), run_id(3), run_id(1)], "")
    assert listed("--limit", "1", "--state", "passed") == ([run_id(4)], more)
    said = semantest("runs", "--directory", tmp_path, "--limit", "2", "--json")
    assert (len(said.json["runs"]), said.err) == (2, "")
    said = semantest("runs", "--directory", tmp_path, "--branch", "mian")
    assert (said.code, said.err) == (3, "semantest: no run of branch 'mian': did you mean main?\n")


@pytest.mark.parametrize("history", ["0", "1"])
def test_a_test_that_the_last_run_has_not_is_shown_without_history(folder: Path, history: str) -> None:
    arguments = ["show", "a.py::test_ok", "--directory", str(folder), "--history", history]
    said = semantest(*arguments)
    assert (said.code, said.err, f"run {RUN}" in said.out) == (0, "", True)
    assert len(semantest(*arguments, "--json").json["history"]) == int(history)


def test_a_test_that_no_run_has_any_more_is_one_line(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "semantest.db")) as database:
        key = "SELECT test_key FROM tests WHERE id = 'a.py::test_ok'"
        database.execute(f"DELETE FROM results WHERE test_key = ({key})")
        database.commit()
    said = semantest("show", "a.py::test_ok", "--directory", folder)
    assert (said.code, said.err) == (3, "semantest: no run has the test a.py::test_ok any more\n")


def test_runs_come_newest_first_with_their_counts(folder: Path) -> None:
    said = semantest("runs", "--directory", folder)
    assert said.code == 0
    _head, first, second = said.out.splitlines()
    assert first.startswith(LATER)
    assert "passed" in first
    assert second.startswith(RUN)
    assert "4 tests: 1 passed, 1 failed, 1 skipped, 1 flaky" in second


def test_runs_as_json_by_state_and_limit(folder: Path) -> None:
    said = semantest("runs", "--directory", folder, "--json", "--state", "failed")
    assert [run["id"] for run in said.json["runs"]] == [RUN]
    (run,) = said.json["runs"]
    assert (run["exitCode"], run["counts"]["total"], run["counts"]["flaky"]) == (1, 4, 1)
    assert [run["id"] for run in semantest("runs", "--directory", folder, "--json", "--limit", "1").json["runs"]] == [
        LATER
    ]
    assert semantest("runs", "--directory", folder, "--state", "cancelled").out == "No cancelled runs.\n"


def test_a_rerun_says_of_which_run_in_lists_and_pages(tmp_path: Path) -> None:
    again = "20261121-100000-d4e5f6"
    small_run().store(tmp_path / ".semantest")
    green_run(again, "a.py::test_bad", RUN, start_ms=START + 60_000).store(tmp_path / ".semantest")
    said = semantest("runs", "--directory", tmp_path / ".semantest").out.splitlines()
    assert f"1 test: 1 passed; reruns run {RUN}" in said[1]
    assert "reruns" not in said[2]
    runs = semantest("runs", "--directory", tmp_path / ".semantest", "--json").json["runs"]
    assert [run["rerunOf"] for run in runs] == [[RUN], []]
    page = semantest("export", "--format", "markdown", "--directory", tmp_path / ".semantest").out
    assert f"- `reruns 1 of 4 tests of run {RUN}; outstanding after it: 0, together they passed`" in page


def test_runs_and_report_agree_on_every_count(folder: Path) -> None:
    for run in semantest("runs", "--directory", folder, "--json").json["runs"]:
        report = semantest("report", run["id"], "--directory", folder, "--json").json
        assert report["counts"] == run["counts"]
        assert report["run"]["state"] == run["state"]


def test_runs_that_only_journals_have_are_listed_and_it_is_said(folder: Path) -> None:
    here, elsewhere, half = (f"20261122-10000{number}-abcdef" for number in range(3))
    for number, name in enumerate((here, elsewhere, half)):
        small_run(name, start_ms=START + 1e8 + 1e6 * number).journal(folder)
    told = {"state": "unreachable", "recorder": "https://recorder.example:1", "named": True}
    (folder / "sessions" / elsewhere / "ship.json").write_text(json.dumps(told))
    stored = small_run(half, start_ms=START + 1e8 + 2e6)
    stored.bodies["main"] = stored.bodies["main"][:5]
    stored.store(folder)
    said = semantest("runs", "--directory", folder, "--sync-timeout", "0")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [half, elsewhere, here, LATER, RUN]
    assert said.out.count("4 tests: 1 passed, 1 failed, 1 skipped, 1 flaky") == 4
    assert f"run {elsewhere} was read from its journals: meant for the recorder at" in said.err
    assert f"runs {here}, {half} were read from their journals: no recorder has it yet" in said.err
    assert len(said.err.splitlines()) == 2
    listed = semantest("runs", "--directory", folder, "--sync-timeout", "0", "--json", "--limit", "2").json["runs"]
    assert [run["id"] for run in listed] == [half, elsewhere]
    for run in listed:
        report = semantest("report", run["id"], "--directory", folder, "--sync-timeout", "0", "--json").json
        assert (report["counts"], report["run"]["state"]) == (run["counts"], run["state"])


def test_runs_of_journals_alone_and_beside_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    green_run().journal(tmp_path)
    said = semantest("runs", "--directory", tmp_path, "--sync-timeout", "0")
    assert (said.code, len(said.err.splitlines())) == (0, 1)
    assert RUN in said.out
    (tmp_path / "semantest.db").write_bytes(b"this is no database, whatever its name says" * 100)
    said = semantest("runs", "--directory", tmp_path, "--sync-timeout", "0")
    assert said.code == 0
    assert "without what the database has" in said.err


def test_no_run_at_all_is_nothing_recorded_for_runs_as_for_report(tmp_path: Path) -> None:
    tmp_path.joinpath("sessions").mkdir()
    Recording().store(tmp_path)
    for command in ("runs", "report"):
        for more in ([], ["--json"]):
            said = semantest(command, "--directory", tmp_path, *more)
            assert (said.code, said.out) == (3, "")
            assert said.err == "semantest: no run was recorded yet\n"


def test_show_tells_every_attempt_and_the_history(folder: Path) -> None:
    said = semantest("show", "b.py::test_flaky", "--directory", folder, "--run", RUN)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "b.py::test_flaky"
    assert any(line.startswith("Attempt 1: failed") for line in lines)
    assert any(line.startswith("Attempt 2: passed") for line in lines)
    assert "  | E   assert 1 == 2" in lines
    assert "    | printed by the test" in lines
    assert "  setup 1.0 ms, call 3.0 ms, teardown 1.0 ms" in lines


def test_the_strip_of_history_has_the_newest_run_last(folder: Path) -> None:
    out = semantest("show", "test_bad", "--directory", folder).out
    assert f"run {LATER}" in out
    assert "\n  F.\n" in out
    story = semantest("show", "test_bad", "--directory", folder, "--json").json
    assert [(past["run"], past["state"]) for past in story["history"]] == [(LATER, "passed"), (RUN, "failed")]
    assert story["usualMs"] == 5.0


def test_a_test_that_the_last_run_does_not_have_is_shown_in_the_last_that_has_it(folder: Path) -> None:
    story = semantest("show", "test_skip", "--directory", folder, "--json").json
    assert (story["run"]["id"], story["test"]["id"]) == (RUN, "b.py::test_skip[1-x]")
    assert (story["test"]["reason"], story["test"]["params"]) == ("not today", "1-x")


def test_a_fragment_of_several_tests_lists_them(folder: Path) -> None:
    said = semantest("show", "test_", "--directory", folder, "--run", RUN)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n  ") == 4


def test_an_exact_id_wins_over_longer_ones(folder: Path) -> None:
    recording = Recording("20261121-100000-eeeeee", start_ms=START + 1_800_000)
    recording.start()
    for name in ("a.py::test_x", "a.py::test_x_too"):
        recording.test(name)
    recording.end(0)
    recording.store(folder)
    assert semantest("show", "a.py::test_x", "--directory", folder).out.startswith("a.py::test_x\n")


@pytest.fixture
def named_alike(tmp_path: Path) -> Path:
    """Tests whose names are parts of others, and of their file."""
    recording = Recording()
    recording.start()
    names = ["test_flaky", "test_flaky_too", "test_sum[1]", "test_sum[2]", "test_sum[a::test_one]", "test_sum_all"]
    for name in [*names, *(f"test_many[{number}]" for number in range(30))]:
        recording.test(f"test_flaky.py::{name}")
    for file in ("test_b.py::TestX", "test_c.py"):
        recording.test(f"{file}::test_same")
    recording.end(0)
    recording.store(tmp_path)
    later = green_run(LATER, start_ms=START + 900_000)
    later.test("a.py::test_sum_all_too")
    later.store(tmp_path)
    return tmp_path


@pytest.mark.parametrize("run", [["--run", RUN], []], ids=["in the run", "in an earlier one"])
@pytest.mark.parametrize(
    ("fragment", "meant"),
    [
        ("test_flaky", "test_flaky.py::test_flaky"),
        ("test_flaky_too", "test_flaky.py::test_flaky_too"),
        ("test_sum[1]", "test_flaky.py::test_sum[1]"),
        ("test_sum[a::test_one]", "test_flaky.py::test_sum[a::test_one]"),
        ("test_sum_all", "test_flaky.py::test_sum_all"),
        ("TestX::test_same", "test_b.py::TestX::test_same"),
        ("aky_too", "test_flaky.py::test_flaky_too"),
    ],
)
def test_a_test_goes_by_its_name_before_any_other_part(
    named_alike: Path, fragment: str, meant: str, run: list[str]
) -> None:
    said = semantest("show", fragment, "--directory", named_alike, *run)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{meant}\n")


def test_a_function_with_parameters_lists_them_briefly(named_alike: Path) -> None:
    where = ("--directory", named_alike, "--run", RUN)
    said = semantest("show", "test_sum", *where)
    assert said.code == 2
    assert said.err.splitlines() == [
        "semantest: 'test_sum' has 3 sets of parameters, name one:",
        "  test_flaky.py::test_sum[1]",
        "  test_flaky.py::test_sum[2]",
        "  test_flaky.py::test_sum[a::test_one]",
    ]
    said = semantest("show", "test_many", *where)
    assert said.err.splitlines()[-1] == "  ... and 10 more"
    said = semantest("show", "test_same", *where)
    assert said.err.count("\n  ") == 2
    said = semantest("show", "test_flaky.py::", *where)
    assert "  test_flaky.py::test_many (30 sets of parameters: [0], [1], [2], ...)" in said.err.splitlines()
    assert "  test_flaky.py::test_flaky" in said.err.splitlines()


def test_what_begins_alike_is_not_near(folder: Path) -> None:
    recording = Recording("20261121-100000-eeeeee", start_ms=START + 1_800_000)
    recording.start()
    for name in ("test_s3", "test_names[x]"):
        recording.test(f"a.py::{name}")
    recording.end(0)
    recording.store(folder)
    said = semantest("show", "test_names[y]", "--directory", folder)
    assert said.code == 3
    assert "did you mean a.py::test_names?" in said.err


def test_an_unknown_test_names_the_nearest(folder: Path) -> None:
    said = semantest("show", "test_bda", "--directory", folder)
    assert said.code == 3
    assert "did you mean a.py::test_bad" in said.err


def test_parameters_are_shown_by_name(folder: Path) -> None:
    recording = Recording("20261121-100000-eeeeee", start_ms=START + 1_800_000)
    recording.start()
    test_id = "a.py::test_sum[1-x]"
    recording.begin(test_id, params={"a": "1", "b": "'x'"}, markers=["slow"])
    recording.add("main", "test/phase", {"testId": test_id, "attempt": 1, "phase": "call", "outcome": "failed"})
    recording.add("main", "test/warning", {"testId": test_id, "category": "UserWarning", "message": "careful"})
    end = {"testId": test_id, "attempt": 1, "status": "passed", "outcome": "passed", "duration": 1.0, "phases": {}}
    recording.add("main", "test/end", end | {"userProperties": [["build", 7]]})
    recording.end(0)
    recording.store(folder)
    out = semantest("show", "test_sum", "--directory", folder).out
    assert "  a = 1\n  b = 'x'\n" in out
    assert "  markers: slow\n" in out
    assert "UserWarning: careful" in out
    assert "  property build = 7\n" in out


def test_a_long_list_of_runs_is_cut_at_the_limit(folder: Path) -> None:
    for number in range(25):
        green_run(f"20261122-10{number:04}-abcdef", start_ms=START + 1e8 + number).store(folder)
    assert len(semantest("runs", "--directory", folder, "--json").json["runs"]) == 20
    assert len(semantest("runs", "--directory", folder, "--json", "--limit", "100").json["runs"]) == 27


def test_a_test_of_one_run_only_has_no_usual_time(tmp_path: Path) -> None:
    small_run().store(tmp_path)
    assert "usually" not in semantest("show", "test_ok", "--directory", tmp_path).out
    green_run(LATER, start_ms=START + 900_000).store(tmp_path)
    assert "usually takes 5.0 ms, this time 5.0 ms" in semantest("show", "test_ok", "--directory", tmp_path).out


def test_a_test_that_runs_is_shown_with_its_time_so_far(tmp_path: Path) -> None:
    recording = Recording(start_ms=time.time() * 1000 - 125_000, pid=os.getpid())
    recording.start()
    recording.plan("a.py::test_slow")
    recording.begin("a.py::test_slow")
    recording.store(tmp_path)
    said = semantest("show", "test_slow", "--directory", tmp_path)
    assert re.search(r"Attempt 1: running for 2 min \d+ s on main", said.out), said.out


def test_what_a_client_does_not_tell_of_a_passed_test_is_not_missed(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_ok")
    recording.test("a.py::test_ok", phases={})
    recording.end(0)
    recording.store(tmp_path)
    said = semantest("show", "test_ok", "--directory", tmp_path)
    assert "Attempt 1: passed in 5.0 ms" in said.out
    assert "got as far as" not in said.out

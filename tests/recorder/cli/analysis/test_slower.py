"""``semantest slower``: which tests take longer since a time or a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.suite_runs import PASSED, Ran, record_run, run_id

STEADY = {f"tests/test_shop.py::test_{number}": Ran(ms=20.0 + number) for number in range(30)}
SLOWER, FASTER, NOISY, NEW = (f"tests/test_shop.py::test_{name}" for name in ("slower", "faster", "noisy", "new"))
OLD_NAME = "tests/test_shop.py::test_before_it_was_renamed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten runs; with the seventh one test became slower and one faster, and one was renamed. All runs got slower."""
    folder = tmp_path_factory.mktemp("shop") / ".semantest"
    for number in range(1, 11):
        late = number >= 7
        noise = Ran(ms=[100.0, 700.0][number % 2])
        tests = {test_id: Ran(ms=ran.ms * (1.5 if late else 1)) for test_id, ran in STEADY.items()}
        tests |= {SLOWER if late else OLD_NAME: Ran(ms=600.0 if late else 100.0 + number), NOISY: noise}
        tests |= {FASTER: Ran(ms=90.0 if late else 300.0)} | ({NEW: Ran(ms=5000.0)} if late else {})
        record_run(folder, number, tests)
    assert semantest("alias", "add", OLD_NAME, SLOWER, "--directory", folder).code == 0
    return folder


def slower(folder: Path, *options: str) -> Any:
    return semantest("slower", *options, "--directory", folder, "--json").json


def test_tests_that_changed_with_a_run_beyond_what_all_did(folder: Path) -> None:
    found = slower(folder, "--since", run_id(7))
    (one,), (other,) = found["slower"], found["faster"]
    assert (one["id"], one["beforeMs"], one["nowMs"]) == (SLOWER, 103.5, 600.0)
    assert (one["passesBefore"], one["passesNow"]) == (6, 4)
    assert (other["id"], other["beforeMs"], other["nowMs"]) == (FASTER, 300.0, 90.0)
    assert found["times"]["runFactor"] == 1.5
    assert (found["compared"], found["before"]["runs"], found["later"]["runs"]) == (33, 6, 4)
    assert (found["before"]["last"]["run"], found["later"]["first"]["run"]) == (run_id(6), run_id(7))


def test_the_table(folder: Path) -> None:
    lines = semantest("slower", "--since", run_id(7)[:15], "--directory", folder).out.splitlines()
    assert lines[0].startswith(f"Since {run_id(7)[:15]}: the last 4 runs, ")
    assert lines[1].startswith("Before: the last 6 runs, ")
    assert lines[2].endswith("All took 1.50 times as long, which is taken out")
    assert lines[4:7] == [
        "Slower (1)",
        "before     now  times  passes  test",
        f"104 ms  600 ms   5.80    6, 4  {SLOWER}",
    ]
    assert lines[8] == "Faster (1)"


def test_too_few_passes_before_tell_nothing(folder: Path) -> None:
    found = slower(folder, "--since", run_id(4))
    assert (found["slower"], found["before"]["runs"]) == ([], 3)
    told = semantest("slower", "--since", run_id(4), "--directory", folder).out
    assert "No test became slower or faster" in told


def test_runs_of_a_few_tests_take_no_place_of_those_that_say_which_to_look_at(tmp_path: Path) -> None:
    for number in range(1, 16):
        tests = {SLOWER: Ran(ms=200.0 if number < 7 else 900.0), NEW: PASSED}
        record_run(tmp_path, number, {NEW: PASSED} if number > 10 else tests)
    found = slower(tmp_path, "--since", run_id(7))
    assert (found["compared"], [one["id"] for one in found["slower"]]) == (2, [SLOWER])


def test_a_limit_is_one_of_each_kind(tmp_path: Path) -> None:
    for number in range(1, 9):
        record_run(tmp_path, number, {f"a.py::test_{one}": Ran(ms=200.0 if number < 7 else 900.0) for one in "abc"})
    found = slower(tmp_path, "--since", run_id(7), "--limit", "2")
    assert (len(found["slower"]), found["totalSlower"], found["totalFaster"]) == (2, 3, 0)
    assert "... and 1 more" in semantest("slower", "--since", run_id(7), "--limit", "2", "--directory", tmp_path).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", run_id(1)], "no run started before that"),
        (["--since", "1s"], "no run started in that time"),
        (["--since", "99999999999d"], "no run started before that"),
        (["--since", "no-such-run"], "no run 'no-such-run'"),
        (["--since", ""], "no run ''"),
        (["--branch", "nope", "--since", "9999w"], "no run of branch 'nope'"),
    ],
)
def test_what_cannot_be_compared_is_said(folder: Path, options: list[str], said: str) -> None:
    answer = semantest("slower", *options, "--directory", folder)
    assert answer.code == 3
    assert said in answer.err


def test_of_one_run_nothing_is_told(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {SLOWER: PASSED})
    assert "no run started before that" in semantest("slower", "--since", "last", "--directory", tmp_path).err

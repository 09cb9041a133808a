"""Retries on top of pytest-rerunfailures: every attempt is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_semantest.retry import known_flaky
from tests.plugin.conftest import Record_

FLAKY = """
    import pytest
    tries = {}
    def count(name):
        tries[name] = tries.get(name, 0) + 1
        return tries[name]
    def test_flaky(): assert count("flaky") > 1
    def test_broken(): raise OSError("disk")
    @pytest.fixture
    def shaky(): assert count("shaky") > 1
    def test_setup(shaky): pass
    def test_fine(): pass
"""


def attempts(recorded_ends: dict[str, list[dict[str, object]]]) -> dict[str, list[tuple[object, object]]]:
    return {name: [(end["attempt"], end["outcome"]) for end in ends] for name, ends in recorded_ends.items()}


@pytest.mark.hazard(7)
def test_every_attempt_is_kept(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(FLAKY)
    recorded = record("--semantest-retries=1")
    assert attempts(recorded.ends()) == {
        "test_flaky": [(1, "failed"), (2, "passed")],
        "test_broken": [(1, "failed"), (2, "failed")],
        "test_setup": [(1, "error"), (2, "passed")],
        "test_fine": [(1, "passed")],
    }
    starts = [(start["testId"].partition("::")[2], start["attempt"]) for start in recorded.of("test/start")]
    assert starts == [
        ("test_flaky", 1),
        ("test_flaky", 2),
        ("test_broken", 1),
        ("test_broken", 2),
        ("test_setup", 1),
        ("test_setup", 2),
        ("test_fine", 1),
    ]


def test_each_attempt_has_its_own_output_only(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        tries = []
        def test_a():
            tries.append(1)
            print(f"try {len(tries)}")
            assert 0
        """
    )
    ends = record("--semantest-retries=2").ends()["test_a"]
    assert [[log["text"] for log in end["logs"]] for end in ends] == [["try 1\n"], ["try 2\n"], ["try 3\n"]]


def test_only_matching_errors(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(FLAKY)
    recorded = record("--semantest-retries=1", "--semantest-retry-match=OSError: disk")
    assert {name: len(ends) for name, ends in recorded.ends().items()} == {
        "test_flaky": 1,
        "test_broken": 2,
        "test_setup": 1,
        "test_fine": 1,
    }


def test_only_tests_known_to_be_flaky(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(test_it=FLAKY)
    (pytester.path / ".semantest").mkdir()
    history = {"version": 1, "flaky": {"test_it.py::test_flaky": {"runs": 9, "flaky": 2}}}
    (pytester.path / ".semantest" / "history.json").write_text(json.dumps(history))
    recorded = record("--semantest-retries=2", "--semantest-retry=known-flaky")
    assert {name: len(ends) for name, ends in recorded.ends().items()} == {
        "test_flaky": 2,
        "test_broken": 1,
        "test_setup": 1,
        "test_fine": 1,
    }


@pytest.mark.hazard(5)
@pytest.mark.hazard(7)
def test_known_flaky_tests_of_a_group_are_retried(pytester: pytest.Pytester, record: Record_) -> None:
    # With pytest 8 xdist appends the group to the node id; with 9.2 and xdist 3.8 it comes to nothing, groups included.
    pytester.makepyfile(
        test_it="""
        import pytest
        tries = {}
        def count(name):
            tries[name] = tries.get(name, 0) + 1
            return tries[name]
        @pytest.mark.xdist_group("g")
        @pytest.mark.parametrize("where", ["a@b", "c"])
        def test_flaky(where): assert count(where) > 1
        @pytest.mark.xdist_group("g")
        def test_broken(): assert 0
        def test_alone(): assert count("alone") > 1
        """
    )
    (pytester.path / ".semantest").mkdir()
    flaky = ["test_it.py::test_flaky[a@b]", "test_it.py::test_flaky[c]", "test_it.py::test_alone"]
    history = {"version": 1, "flaky": {name: {"runs": 9, "flaky": 2} for name in flaky}}
    (pytester.path / ".semantest" / "history.json").write_text(json.dumps(history))
    arguments = ("-n2", "--dist=loadgroup", "--semantest-retries=2", "--semantest-retry=known-flaky")
    recorded = record(*arguments, subprocess=True)
    twice = [(1, "failed"), (2, "passed")]
    assert attempts(recorded.ends()) == {
        "test_flaky[a@b]": twice,
        "test_flaky[c]": twice,
        "test_broken": [(1, "failed")],
        "test_alone": twice,
    }
    assert sorted(recorded.of("run/plan")[0]["tests"]) == sorted([*flaky, "test_it.py::test_broken"])


def test_a_flaky_marker_of_the_user_is_recorded_without_our_retries(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        tries = []
        @pytest.mark.flaky(reruns=2)
        def test_a(): tries.append(1); assert len(tries) == 3
        """
    )
    assert attempts(record().ends()) == {"test_a": [(1, "failed"), (2, "failed"), (3, "passed")]}


def test_the_users_own_reruns_win(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): assert 0")
    assert len(record("--semantest-retries=5", "--reruns=1").ends()["test_a"]) == 2


@pytest.mark.hazard(16)
def test_subtests_of_each_attempt(pytester: pytest.Pytester, record: Record_) -> None:
    pytest.importorskip("_pytest.subtests", reason="subtests came with pytest 9")
    pytester.makepyfile(
        """
        tries = []
        def test_a(subtests):
            tries.append(1)
            with subtests.test("one"): assert len(tries) > 1
        """
    )
    recorded = record("--semantest-retries=1")
    assert attempts(recorded.ends()) == {"test_a": [(1, "failed"), (2, "passed")]}
    assert [(one["attempt"], one["outcome"]) for one in recorded.of("test/subtest")] == [(1, "failed"), (2, "passed")]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-p", "no:rerunfailures"), "needs pytest-rerunfailures, which is switched off"),
        (("--pdb",), "does not go with --pdb"),
    ],
)
def test_why_there_are_no_retries(pytester: pytest.Pytester, record: Record_, args: tuple[str, ...], said: str) -> None:
    pytester.makepyfile("def test_a(): pass")
    recorded = record("--semantest-retries=1", *args)
    assert recorded.result.ret == 0
    recorded.result.stdout.re_match_lines([f"semantest: .*{re.escape(said)}.*"])


@pytest.mark.parametrize("content", [None, "", "[1]", '{"flaky": 3}', "\xff", '{"version": 1}'])
def test_a_history_that_cannot_be_read_names_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "history.json").write_text(content, encoding="latin-1")
    assert known_flaky(str(tmp_path)) == frozenset()

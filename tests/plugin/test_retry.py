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

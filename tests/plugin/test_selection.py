"""What of a suite is run, and how it is named: the plan has what is run, no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.plugin.conftest import Record_, Recorded

pytestmark = pytest.mark.hazard(16)


def planned(recorded: Recorded) -> list[str]:
    """The names in the plan; each was started and ended."""
    (plan,) = recorded.of("run/plan")
    tests: list[str] = plan["tests"]
    assert [start["testId"] for start in recorded.of("test/start")] == tests
    assert [end["testId"] for end in recorded.of("test/end")] == tests
    return [test.partition("::")[2] for test in tests]


def forget(folder: Path) -> None:
    for journal in folder.glob(".semantest/sessions/*/*.journal"):
        journal.unlink()


def test_deselected_and_last_failed(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pass")
    name = "test_deselected_and_last_failed.py"
    recorded = record("-p", "cacheprovider", f"--deselect={name}::test_c")
    assert planned(recorded) == ["test_a", "test_b"]
    assert recorded.of("run/plan")[0]["deselected"] == 1
    forget(pytester.path)
    again = record("-p", "cacheprovider", "--lf")
    assert planned(again) == ["test_b"]
    again.result.assert_outcomes(failed=1)
    assert again.of("run/end")[0]["exitCode"] == again.result.ret == 1


def test_a_file_whose_name_is_no_utf8(pytester: pytest.Pytester, record: Record_) -> None:
    path = os.fsencode(pytester.path) + b"/test_\xff.py"
    with open(path, "w") as file:
        file.write("def test_a(): print('hello')\ndef test_b(): assert 0\n")
    recorded = record("-p", "no:terminal")  # pytest itself cannot print such a name everywhere
    assert recorded.result.ret == 1
    assert planned(recorded) == ["test_a", "test_b"]
    assert recorded.of("test/start")[0]["file"] == "test_\\udcff.py"
    assert recorded.end("test_b")["outcome"] == "failed"


def test_doctests_of_text_files(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.maketxtfile(test_words=">>> 1 + 1\n2\n>>> 1 + 1\n3\n")
    recorded = record("--doctest-glob=*.txt")
    assert planned(recorded) == ["test_words.txt"]
    assert recorded.end("test_words.txt")["outcome"] == "failed"
    assert "Expected:" in recorded.end("test_words.txt")["error"]["stack"]

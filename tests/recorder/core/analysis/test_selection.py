"""Whether a test that a run does not have is gone."""

from __future__ import annotations

import pytest

from semantest_recorder.core.analysis.selection import RunFacts, Selection

HOME = "/home/dev/project"
RAN = ("tests/unit/test_a.py::test_one", "tests/unit/test_a.py::test_two[1]", "tests/api/test_b.py::TestX::test_y")


def facts(*args: str, cwd: str = HOME, deselected: int = 0, planned: int = 3, sessions: int = 1) -> RunFacts:
    return RunFacts(args, cwd, HOME, deselected, planned, sessions)


def why(run: RunFacts, test_id: str, like: RunFacts | None = None, ran: tuple[str, ...] = RAN) -> str:
    return Selection(run, ran, like or run).why_missing(test_id)


@pytest.mark.parametrize(
    ("args", "cwd", "test_id"),
    [
        ((), HOME, "tests/c.py::test"),
        (("tests", "-n", "4"), HOME, "tests/c.py::test"),
        (("-q",), f"{HOME}/tests", "tests/c.py::test"),
        ((".",), HOME, "other/c.py::test"),
        (("unit",), f"{HOME}/tests", "tests/unit/c.py::test"),
        (("tests/unit/test_a.py",), HOME, "tests/unit/test_a.py::test_three"),
        (("tests/unit/test_a.py::test_two",), HOME, "tests/unit/test_a.py::test_two[2]"),
        (("--reruns", "2", "-m", "not slow"), HOME, "tests/c.py::test"),
        ((f"{HOME}/tests",), "/elsewhere", "tests/c.py::test"),
    ],
)
def test_what_was_asked_for_and_is_not_there_is_gone(args: tuple[str, ...], cwd: str, test_id: str) -> None:
    assert why(facts(*args, cwd=cwd), test_id) == ""


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (facts("tests/unit"), "asked for other tests"),
        (facts("tests/api/test_b.py"), "asked for other tests"),
        (facts("--lf"), "--lf"),
        (facts("@rerun.txt"), "from a file"),
        (facts("--ignore=tests/api"), "--ignore"),
        (facts("--semantest-shard", "1/2"), "--semantest-shard"),
        (facts(sessions=2), "several sessions"),
        (facts(planned=0), "not known which tests"),
        (RunFacts(planned=3, over=False), "not over"),
    ],
)
def test_what_was_not_asked_for_may_be_there(run: RunFacts, told: str) -> None:
    assert told in why(run, "tests/api/test_c.py::test")


def test_runs_that_deselect_alike_can_be_compared() -> None:
    run = facts("-m", "not slow", deselected=7)
    assert why(run, "tests/c.py::test", like=run) == ""
    assert why(run, "tests/c.py::test", like=facts("-m", "not slow", deselected=8)) == "the run deselected 7 tests"
    by_plugin = facts(deselected=7)
    assert why(by_plugin, "tests/c.py::test", like=facts("-q", deselected=7)) == "the run deselected 7 tests"


@pytest.mark.parametrize("option", ["-k", "-kcart", "-m", "--deselect", "--deselect=tests/x.py"])
def test_an_option_that_deselects_tells_nothing_unless_both_runs_have_it(option: str) -> None:
    run = facts(option, "cart")
    assert why(run, "tests/c.py::test", like=run) == ""
    assert why(run, "tests/c.py::test", like=facts()).startswith("the run chose its tests by -")
    assert why(facts(), "tests/c.py::test", like=run) == ""


def test_a_file_that_could_not_be_collected_hides_its_tests() -> None:
    run = Selection(facts(), (*RAN, "tests/c.py"), facts())
    assert run.why_missing("tests/c.py::test") == "its file could not be collected"
    assert run.why_missing("tests/d.py::test") == ""

"""What the report advises to run again: exactly the tests that were not green, from wherever it is read."""

from __future__ import annotations

from typing import Any

import pytest

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.kept_options import kept_options
from semantest_recorder.reports.report import Report
from semantest_recorder.reports.rerun import rerun_arguments, rerun_command
from tests.recorder.reports.rows_of import RUN, result_row, run_rows

_HOME = "/home/dev/project"


def report_of(*tests: tuple[str, str] | tuple[str, str, str], deselected: int = 0, **facts: Any) -> Report:
    results = [
        result_row(test[0], test[1], at, **({"file": test[2]} if len(test) == 3 else {}))
        for at, test in enumerate(tests)
    ]
    rows = run_rows(results, deselected=deselected)
    rows.run.facts.update({"args": [], **facts})
    return aggregate(rows)


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([("a.py::t", "passed")], None),
        ([("a.py::t", "flaky"), ("a.py::u", "xfailed")], None),
        ([("a.py::t[x y]", "failed")], "pytest --semantest 'a.py::t[x y]'"),
        ([("a.py::t#2", "failed"), ("a.py::t", "failed")], "pytest --semantest a.py::t"),
        ([("a.py::z", "failed"), ("a.py::b", "not_run")], "pytest --semantest a.py::z a.py::b"),
        ([("@a.py::t", "failed"), ("-b.py::t", "lost")], "pytest --semantest ./@a.py::t ./-b.py::t"),
    ],
)
def test_few_tests_are_named_in_the_order_of_the_report(tests: list[tuple[str, str]], expected: str | None) -> None:
    report = report_of(*tests)
    assert rerun_command(report, _HOME) == expected
    assert rerun_command(report, "/else where") == (f"cd {_HOME} && {expected}" if expected else None)


def test_what_another_program_ran_is_not_pytests_to_run_again() -> None:
    assert rerun_command(report_of(("login", "failed"), origin="client"), _HOME) is None


def test_many_tests_go_through_a_file_of_the_readers_own() -> None:
    report = report_of(*[(f"a.py::t{n}", "failed") for n in range(6)], args=["-n", "2", "tests"])
    assert rerun_command(report, _HOME) == (
        f"semantest report {RUN} --rerun > rerun.txt && pytest --semantest @rerun.txt -n 2"
    )
    assert rerun_command(report, "/else where", "my folder") == (
        f"semantest report {RUN} --directory 'my folder' --rerun > rerun.txt"
        f" && cd {_HOME} && pytest --semantest '@/else where/rerun.txt' -n 2"
    )
    assert rerun_arguments(report) == [f"a.py::t{n}" for n in range(6)]


def test_a_test_is_named_as_seen_from_where_pytest_was_started() -> None:
    report = report_of(("tests/a.py::t", "failed"), rootdir=_HOME, cwd=f"{_HOME}/tests/unit")
    assert rerun_command(report, f"{_HOME}/tests/unit") == "pytest --semantest ../a.py::t"
    assert rerun_command(report, _HOME) == f"cd {_HOME}/tests/unit && pytest --semantest ../a.py::t"


def test_of_two_rootdirs_each_test_is_its_own() -> None:
    report = report_of(
        ("tests/test_x.py::test_two", "passed"),
        ("tests/test_x.py::test_two#2", "failed", "../svc-b/tests/test_x.py"),
        rootdir=f"{_HOME}/svc-a",
    )
    assert rerun_command(report, _HOME) == "pytest --semantest svc-b/tests/test_x.py::test_two"


def test_a_method_that_is_written_in_another_file_keeps_its_own_id() -> None:
    report = report_of(("tests/test_x.py::TestA::test", "failed", "tests/base.py"))
    assert rerun_arguments(report) == ["tests/test_x.py::TestA::test"]


@pytest.mark.parametrize(
    ("test_id", "argument"),
    [
        ("a.py::t[\x1b[0m::]", "a.py::t"),
        ("a.py::A::t[[REDACTED]]", "a.py::A::t"),
        ("a.py::A::t\u202e", "a.py::A"),
        ("a.py::t\x1b[0m", "a.py"),
    ],
)
def test_a_name_that_cannot_be_typed_is_covered_by_what_is_around_it(test_id: str, argument: str) -> None:
    assert rerun_arguments(report_of((test_id, "failed"))) == [argument]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--semantest", "-n", "2", "tests"], ["-n", "2"]),
        (["-n2", "-vx", "-q", "tests/a.py::t"], ["-n2", "-v", "-q"]),
        (["-x", "-k", "one and two", "-m", "slow", "--maxfail=3", "--maxfail", "3", "--lf"], []),
        (["-kone", "-mslow", "--junitxml=out.xml", "--semantest-run-id", "ci-7"], []),
        (["-c", "other.ini", "--rootdir", "."], ["-c", "other.ini", "--rootdir", "."]),
        (["--cov", "tests"], ["--cov"]),
        (["--cov", ".", "@more.txt"], ["--cov"]),
        (["--database", "db.sqlite", "tests"], ["--database", "db.sqlite"]),
        (["--database=tests", "--slow"], ["--database=tests", "--slow"]),
        (["--semantest-token", "[REDACTED]", "--semantest-retries", "1"], ["--semantest-retries", "1"]),
        (["-k", "", "-s"], ["-s"]),
        (["-W", "error\x1b"], []),
    ],
)
def test_options_are_kept_unless_they_chose_the_tests(given: list[str], kept: list[str]) -> None:
    assert kept_options(report_of(("tests/a.py::t", "failed"), args=given)) == kept


def test_what_may_be_a_folder_whose_tests_were_deselected_is_not_kept() -> None:
    report = report_of(
        ("tests/a.py::t", "failed"), deselected=4, args=["--slow", "other", "tests", "-k", "t", "-n", "2"]
    )
    assert kept_options(report) == ["-n", "2"]

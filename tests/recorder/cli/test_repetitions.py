"""What commands make of a test that ran several times because it was new."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import Recording

RUN = "20261121-093000-a1b2c3"
TURNED, FINE, BAD = "a.py::test_turned", "a.py::test_fine", "a.py::test_bad"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run = Recording(RUN)
    run.start()
    run.add("main", "run/selection", {"collected": 3, "leftOut": {}, "repeat": {"times": 3, "tests": 3}})
    run.plan(TURNED, FINE, BAD)
    for test, outcomes in {TURNED: "ppf", FINE: "ppp", BAD: "f"}.items():
        for number, letter in enumerate(outcomes, 1):
            run.begin(test, attempt=number, repetitions=3)
            run.close(test, {"p": "passed", "f": "failed"}[letter], attempt=number)
    run.end(1)
    run.store(folder)
    return folder


def test_it_failed_and_the_report_says_that_it_is_flaky(folder: Path) -> None:
    said = semantest("report", "--directory", folder)
    assert "3 tests: 1 passed, 2 failed" in said.out
    assert "3 new tests up to 3 times" in said.out
    assert "  flaky: of up to 3 times, as a new test, it passed 2 times, then failed\n" in said.out
    assert said.out.count("flaky: of") == 1
    tests = {test["id"]: test for test in semantest("report", "--directory", folder, "--json").json["tests"]}
    assert [(tests[test]["state"], tests[test]["attempts"]) for test in (TURNED, FINE, BAD)] == [
        ("failed", 3),
        ("passed", 3),
        ("failed", 1),
    ]
    assert {test["repetitions"] for test in tests.values()} == {3}


def test_its_failure_after_a_pass_is_flaky_and_no_retry(folder: Path) -> None:
    (found,) = semantest("flaky", "--directory", folder, "--json").json["tests"]
    assert (found["id"], found["contradicted"], found["retried"], found["retries"]) == (TURNED, 1, 0, 0)


def test_a_leg_of_a_matrix_in_which_it_fails_at_once_is_not_flaky(tmp_path: Path) -> None:
    for leg, outcomes in enumerate((["failed"], ["passed", "passed", "passed"])):
        run = Recording(f"leg-{leg}", run_id=RUN)
        run.start()
        run.plan(BAD)
        for number, outcome in enumerate(outcomes, 1):
            run.begin(BAD, attempt=number, repetitions=3)
            run.close(BAD, outcome, attempt=number)
        run.end(int(leg == 0))
        run.store(tmp_path)
    assert semantest("flaky", "--directory", tmp_path, "--json").json["tests"] == []
    said = semantest("report", "--directory", tmp_path).out
    assert "1 test: 1 failed" in said
    assert "flaky" not in said


def test_views_have_it(folder: Path) -> None:
    rows = semantest("sql", "SELECT test, repetitions FROM v_results ORDER BY 1", "--directory", folder, "--csv").out
    assert rows.splitlines()[1:] == [f"{test},3" for test in sorted([BAD, FINE, TURNED])]

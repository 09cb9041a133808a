"""A cell's result is what its tests came to: nothing that failed, is missing or did not run counts as good."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.matrix.cells import Age, Cell
from tests.matrix.environment import Environment
from tests.matrix.pythons import ask, find_pythons
from tests.matrix.running import Outcome, read_outcome, run_tests
from tests.matrix.table import Row, json_of, line_of, markdown_of

#: The environment of this very pytest, as if it were a cell's.
HERE = Environment(Path(sys.prefix), {})
CELL = Cell(11, Age.OLDEST, Age.OLDEST, Age.OLDEST)


def test_what_tests_come_to_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "test_cell.py").write_text(
        dedent(
            """
            import os, pytest
            def test_wheel(): assert os.environ["SEMANTEST_TEST_WHEEL"] == "1"
            def test_bad(): assert 0
            def test_skipped(): pytest.skip("no such tool")
            @pytest.mark.xfail
            def test_known(): assert 0
            """
        )
    )
    outcome = run_tests(HERE, [str(tmp_path)], tmp_path / "results", 0)
    assert outcome.passed == 1
    assert [name.rpartition("::")[2] for name in outcome.failed] == ["test_bad"]
    assert outcome.skipped == {"no such tool": 1}
    assert outcome.problem is None
    assert not outcome.good
    row = Row(CELL, "3.11.7", {"pytest": "8.2.0"}, outcome)
    assert "FAILED" in line_of(row)
    assert "no such tool" in line_of(row)
    table = markdown_of([row], ["Python 3.99: no interpreter here"])
    assert "| 3.11-oldest | 3.11.7 | 8.2.0 |" in table
    assert "**1 failed**" in table
    assert "Not seen: Python 3.99" in table
    assert json_of([row], [])["cells"][0]["good"] is False


def test_a_pytest_that_ran_nothing_is_not_good(tmp_path: Path) -> None:
    outcome = run_tests(HERE, [str(tmp_path / "test_missing.py")], tmp_path / "results", 0)
    assert not outcome.good
    assert outcome.problem


@pytest.mark.parametrize(("code", "good"), [(0, True), (1, False), (3, False), (-9, False), (None, False)])
def test_the_exit_code_has_a_say(code: int | None, good: bool) -> None:
    junit = b"<testsuites><testsuite><testcase classname='a' name='b'/></testsuite></testsuites>"
    outcome = read_outcome(junit, code, 1.0)
    assert outcome.good is good
    assert (outcome.problem is None) is good


def test_no_tests_are_no_success() -> None:
    assert not Outcome().good
    assert "**not run**" in markdown_of([Row(CELL, "3.11.7", {}, Outcome(problem="no set of releases"))], [])


def test_only_a_cpython_that_runs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minor = sys.version_info.minor
    shim = tmp_path / f"python3.{minor}"
    shim.write_text("#!/bin/sh\necho no such version >&2\nexit 127\n")
    shim.chmod(0o755)
    assert ask(shim) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    (found,) = find_pythons([minor, 99]).values()
    assert found.version == sys.version_info[:3]
    assert Path(sys.base_prefix) in found.path.parents

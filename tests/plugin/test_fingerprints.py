"""The fingerprint of a test in ``test/start``: the same as long as its own code is."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_

_BEFORE = """
import functools
import pytest
from unittest import TestCase, mock

def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

def test_same():
    values = [
        1,
    ]
    assert values

def test_old_name():
    def inner():
        return 5
    assert inner() == 5

@pytest.mark.parametrize("n", [1, 2])
def test_cases(n):
    assert n

@decorated
@mock.patch("os.getcwd")
def test_wrapped(cwd):
    assert cwd

class TestUnit(TestCase):
    def test_unit(self):
        self.assertTrue(True)

@pytest.mark.parametrize("n", [3])
def test_edited(n):
    assert n == 3
"""
_AFTER = (
    _BEFORE.replace("import functools", "import functools  # and a line\n\n")
    .replace("test_old_name", "test_new_name")
    .replace("n == 3", "n > 2")
    .replace("TestUnit(TestCase):", "TestUnit(TestCase):\n    x = 1\n")
)


def test_a_fingerprint_follows_the_lines_of_the_test(pytester: pytest.Pytester, record: Record_) -> None:
    found = []
    for source in (_BEFORE, _AFTER):
        path = pytester.makepyfile(test_a=source)
        recorded = record(subprocess=True)
        recorded.result.assert_outcomes(passed=7)
        starts = recorded.of("test/start")
        found.append({start["testId"].partition("::")[2]: start["fingerprint"] for start in starts[-7:]})
        path.unlink()
    before, after = found
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"test_edited[3]", "test_old_name"}
    assert after["test_new_name"] == before["test_old_name"], "the name is no part of it"
    assert before["test_cases[1]"] == before["test_cases[2]"]
    assert len(set(before.values())) == 6


def test_what_is_no_function_in_a_file_has_none(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        import pytest

        class Case(pytest.Item):
            def runtest(self):
                pass

        class Cases(pytest.File):
            def collect(self):
                yield Case.from_parent(self, name="case")

        def pytest_collect_file(file_path, parent):
            if file_path.suffix == ".case":
                return Cases.from_parent(parent, path=file_path)
        """
    )
    pytester.maketxtfile(a="").rename(pytester.path / "a.case")
    pytester.makepyfile(
        """
        exec(compile("def test_made():\\n    pass", "<made>", "exec"))

        class Strange:
            __wrapped__ = None
            __name__ = "test_strange"
            def __getattr__(self, name):
                raise RuntimeError(name)
            def __call__(self):
                pass
        """
    )
    recorded = record()
    recorded.result.assert_outcomes(passed=2)
    starts = recorded.of("test/start")
    assert [start["testName"] for start in starts] == ["case", "test_made"]
    assert not any("fingerprint" in start for start in starts)

"""``--semantest-repeat-new``: tests that never passed run several times, and their first failure counts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.plugin.conftest import Record_, Recorded, put_test_snapshot

SUITE = """
    import os, unittest
    import pytest

    def note(letter):
        with open("notes", "a") as file:
            file.write(letter)

    def seen(letter):
        return open("notes").read().count(letter) if os.path.exists("notes") else 0

    @pytest.fixture(scope="module", autouse=True)
    def module():
        note("<"); yield; note(">")

    @pytest.fixture
    def own():
        note("o"); yield

    def test_old(): pass

    class TestClass:
        def test_instance(self, own, record_property):
            record_property("answer", 42)
            assert not hasattr(self, "used"), "the instance of the time before"
            self.used = True

        def test_turns(self):
            note("t"); print("time", seen("t"))
            assert seen("t") != 3

    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls): note("(")
        @classmethod
        def tearDownClass(cls): note(")")
        def setUp(self): note("u")
        def test_unit(self): pass

    def test_bad(): assert 0

    def test_skipped(): pytest.skip("not today")

    @pytest.mark.xfail(reason="known")
    def test_expected(): assert 0

    @pytest.fixture
    def breaks():
        yield
        note("b")
        assert seen("b") != 2, "at its end"

    def test_breaks(breaks): pass
"""
LAST = "def test_last(): pass\n"
KNOWN = {"test_it.py::test_old": [1.0, 0.1, "p", None], "test_it.py::test_bad": [1.0, 0.1, "ffs", None]}
STATES = {"failed": 2, "passed": 5, "skipped": 1, "xfailed": 1, "errors": 1}


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Path:
    pytester.makepyfile(test_it=SUITE, test_next=LAST)
    put_test_snapshot(pytester.path, json.dumps({"version": 1, "runs": 2, "untilMs": 1.0, "tests": KNOWN}))
    return pytester.path


def outcomes(recorded: Recorded) -> dict[str, str]:
    """The first letters of what each test came to, attempt by attempt."""
    return {name: "".join(end["outcome"][0] for end in ends) for name, ends in recorded.ends().items()}


EXPECTED = {
    "test_old": "p",
    "TestClass::test_instance": "ppp",
    "TestClass::test_turns": "ppf",
    "TestUnit::test_unit": "ppp",
    "test_bad": "f",
    "test_skipped": "s",
    "test_expected": "x",
    "test_breaks": "pe",
    "test_last": "ppp",
}


@pytest.mark.parametrize("more", [(), ("--reruns=2",), ("-n1",)], ids=["plain", "reruns", "xdist"])
def test_a_new_test_runs_until_a_time_is_no_pass(suite: Path, record: Record_, more: tuple[str, ...]) -> None:
    recorded = record("--semantest-repeat-new=3", "-rA", *more)
    recorded.result.assert_outcomes(**STATES)
    assert outcomes(recorded) == EXPECTED
    assert (suite / "notes").read_text() == "<" + "ooo" + "ttt" + "(uuu)" + "bb" + ">"
    text = recorded.result.stdout.str()
    assert "new tests up to 3 times, by 2 runs" in text
    assert "8 tests without a pass in earlier runs: up to 3 times each, 3 passed all of them" in text
    assert "FLAKY: test_it.py::TestClass::test_turns passed 2 times, then failed" in text
    assert "FLAKY: test_it.py::test_breaks passed once, then failed" in text
    assert "time 3 of 3; before, it passed 2 times" in text
    assert re.findall(r"^time \d$", text, re.MULTILINE) == ["time 3"]
    (chosen,) = recorded.of("run/selection")[:1]
    assert chosen["repeat"] == {"times": 3, "tests": 8}
    starts = {start["testId"]: start.get("repetitions") for start in recorded.of("test/start")}
    assert starts["test_it.py::test_old"] is None
    assert set(starts.values()) == {None, 3}
    properties = [end["userProperties"] for end in recorded.ends()["TestClass::test_instance"]]
    assert properties == [[["answer", 42]]] * 3


def test_a_failure_at_the_end_of_what_was_kept_is_told(pytester: pytest.Pytester, suite: Path, record: Record_) -> None:
    kept = "@pytest.fixture(scope='module')\ndef kept():\n    yield\n    assert 0, 'kept'\n"
    broken = "@pytest.fixture\ndef broken():\n    yield\n    assert 0, 'broken'\n"
    pytester.makepyfile(test_it=f"import pytest\n{kept}{broken}def test_both(kept, broken): pass")
    recorded = record("--semantest-repeat-new=3")
    recorded.result.assert_outcomes(passed=2, errors=2)
    assert outcomes(recorded) == {"test_both": "e", "test_last": "ppp"}


OTHER_KINDS = '''
    import pytest

    TOLD = 42
    times = []

    def documented():
        """
        >>> TOLD
        42
        """

    def test_parts(subtests):
        times.append("part")
        with subtests.test("one"): assert times.count("part") != 2

    def test_skips_late():
        times.append("skip")
        if times.count("skip") == 3: pytest.skip("late")
'''


def test_doctests_subtests_and_skips(pytester: pytest.Pytester, suite: Path, record: Record_) -> None:
    pytest.importorskip("_pytest.subtests", reason="subtests came with pytest 9")
    pytester.makepyfile(test_it=OTHER_KINDS)
    recorded = record("--semantest-repeat-new=3", "--doctest-modules")
    found = outcomes(recorded)
    assert found == {"test_it.documented": "ppp", "test_parts": "pf", "test_skips_late": "pps", "test_last": "ppp"}
    recorded.result.assert_outcomes(passed=2, failed=2, skipped=1)
    text = recorded.result.stdout.str()
    assert "4 tests without a pass in earlier runs: up to 3 times each, 2 passed all of them" in text
    assert re.findall("FLAKY: (.*)", text) == ["test_it.py::test_parts passed once, then failed"]


def test_what_is_kept_is_told_before_the_session_stops(pytester: pytest.Pytester, suite: Path, record: Record_) -> None:
    kept = "@pytest.fixture(scope='module')\ndef kept():\n    yield\n    assert 0, 'kept'\n"
    pytester.makepyfile(test_it=f"import pytest\n{kept}def test_bad(kept): assert 0\ndef test_next(): pass")
    recorded = record("--semantest-repeat-new=3", "-x")
    recorded.result.assert_outcomes(failed=1, errors=1)
    assert outcomes(recorded) == {"test_bad": "f"}


def test_it_stops_where_the_session_does(suite: Path, record: Record_) -> None:
    recorded = record("--semantest-repeat-new=3", "-x")
    recorded.result.assert_outcomes(failed=1, passed=2)
    assert outcomes(recorded) == {name: EXPECTED[name] for name in list(EXPECTED)[:3]}
    assert (suite / "notes").read_text().endswith(">")


def test_each_time_has_its_own_timeout(pytester: pytest.Pytester, suite: Path, record: Record_) -> None:
    pytester.makepyfile(test_it="def test_it():\n    with open('notes', 'a') as file: file.write('r')")
    pytester.makeconftest("""
        import pytest

        def note(letter):
            with open("notes", "a") as file:
                file.write(letter)

        @pytest.hookimpl(tryfirst=True)
        def pytest_timeout_set_timer(): note("(")
        @pytest.hookimpl(tryfirst=True)
        def pytest_timeout_cancel_timer(): note(")")
    """)
    recorded = record("--semantest-repeat-new=4", "--timeout=60", "test_it.py")
    recorded.result.assert_outcomes(passed=1)
    assert outcomes(recorded) == {"test_it": "pppp"}
    assert (suite / "notes").read_text() == "(r)" * 4


def test_budgets_and_orders_know_how_long_it_takes(pytester: pytest.Pytester, suite: Path, record: Record_) -> None:
    recorded = record("--semantest-repeat-new=3", "--semantest-budget=1s", "--semantest-order=slowest-first")
    chosen = recorded.of("run/selection")[0]
    without = record("--semantest-budget=1s", "--semantest-order=slowest-first").of("run/selection")[-1]
    assert chosen["budget"]["expectedMs"] == pytest.approx(without["budget"]["expectedMs"] * 3, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--semantest-repeat-new=3", "--forked"),
            "tests run once each: --semantest-repeat-new does not go with --forked",
        ),
        (("--semantest-repeat-new=3", "--setup-show"), "does not go with --setup-show"),
        (("--semantest-repeat-new=1",), ""),
    ],
)
def test_where_it_cannot_be_all_run_once(suite: Path, record: Record_, arguments: tuple[str, ...], said: str) -> None:
    recorded = record(*arguments)
    assert said in recorded.result.stdout.str()
    assert not any("repeat" in chosen for chosen in recorded.of("run/selection"))
    assert "FLAKY" not in recorded.result.stdout.str()
    assert {len(ends) for ends in recorded.ends().values()} == {1}


def test_without_a_history_nobody_is_new(suite: Path, record: Record_) -> None:
    put_test_snapshot(suite, "{}")
    recorded = record("--semantest-repeat-new=3")
    assert "; no test runs more than once" in recorded.result.stdout.str()
    assert {len(ends) for ends in recorded.ends().values()} == {1}


def test_what_is_no_number_ends_pytest(suite: Path, record: Record_) -> None:
    recorded = record("--semantest-repeat-new=two")
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--semantest-repeat-new: 'two' is no number from 1 to 1000" in recorded.result.stderr.str()

"""Order, shard and budget in a real pytest, by a snapshot of earlier runs."""

from __future__ import annotations

import json
from pathlib import Path
from zlib import crc32

import pytest

from pytest_semantest.selection import hooks
from pytest_semantest.selection.owed import parse_owed
from pytest_semantest.selection.owed_source import Answer
from tests.plugin.conftest import KEPT, NOWHERE, Record_, Recorded, put_test_snapshot

SUITE = {
    "test_a": """
        import pytest

        @pytest.fixture(scope="module", params=["x", "y"])
        def shared(request): return request.param

        def test_1(shared): pass
        def test_2(shared): pass
        def test_3(): pass
        """,
    "test_b": """
        def test_4(): pass
        def test_5(): assert 0
        """,
}
#: ``test_b.py::test_4`` failed last and is slow, ``test_a.py::test_3`` is the slowest.
TESTS = {
    **{f"test_a.py::test_{number}[{letter}]": [1.0, 0.1, "pp", None] for number in (1, 2) for letter in "xy"},
    "test_a.py::test_3": [5000.0, 0.1, "pp", None],
    "test_b.py::test_4": [1000.0, 0.1, "fp", None],
    "test_b.py::test_5": [1.0, 0.1, "pp", None],
}
COLLECTED = ["1[x]", "2[x]", "1[y]", "2[y]", "3", "4", "5"]


def put_snapshot(folder: Path, content: str | None = None) -> None:
    found = {"version": 1, "runs": 2, "untilMs": 1.0, "tests": TESTS}
    put_test_snapshot(folder, json.dumps(found) if content is None else content)


def broken(*_: object) -> None:
    raise RuntimeError("of our own")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Path:
    pytester.makepyfile(**SUITE)
    put_snapshot(pytester.path)
    return pytester.path


def ran(recorded: Recorded) -> list[str]:
    """The tests in the order in which pytest names them."""
    lines = [line.partition(" ")[0] for line in recorded.result.outlines if "::test_" in line]
    return [line.partition("::test_")[2] for line in lines if not line.startswith(("FAILED", "ERROR"))]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("collected", COLLECTED),
        ("failed-first", ["4", *COLLECTED[:5], "5"]),
        ("slowest-first", ["3", "4", *COLLECTED[:4], "5"]),
        ("likely-to-fail", ["5", *COLLECTED[:4], "4", "3"]),
    ],
)
def test_orders_keep_what_shares_a_fixture_together(
    suite: Path, record: Record_, order: str, expected: list[str]
) -> None:
    recorded = record("--collect-only", "-q", f"--semantest-order={order}", options=())
    assert ran(recorded) == expected


def test_it_has_the_last_word(suite: Path, record: Record_, pytester: pytest.Pytester) -> None:
    """Behind ``-k``, ``--ff``, and plugins that shuffle."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(items): items.reverse()
        """
    )
    arguments = ("-p", "cacheprovider", "--ff", "-k", "not test_1", "--collect-only", "-q")
    recorded = record(*arguments, "--semantest-order=failed-first", options=())
    assert ran(recorded) == ["4", "5", "3", "2[y]", "2[x]"]


def test_last_failed_tests_are_chosen_before(suite: Path, record: Record_) -> None:
    record("-p", "cacheprovider", options=())
    recorded = record("-p", "cacheprovider", "--lf", "-v", "--semantest-order=slowest-first", options=())
    recorded.result.assert_outcomes(failed=1)
    assert ran(recorded)[:1] == ["5"]


def test_shards_are_a_partition(suite: Path, record: Record_) -> None:
    parts = [ran(record("--collect-only", "-q", f"--semantest-shard={number}/3", options=())) for number in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(COLLECTED)
    assert ["3"] in parts
    assert ["4"] in parts


def test_a_budget_leaves_out_what_does_not_fit_and_says_so(suite: Path, record: Record_) -> None:
    recorded = record("--semantest-budget=1.5s", options=KEPT)
    recorded.result.assert_outcomes(passed=5, failed=1, deselected=1)
    recorded.result.stdout.fnmatch_lines(
        [
            "semantest: budget 1.5 s, by 2 runs up to 1970-01-01 00:00 UTC",
            "semantest: NOT RUN: 1 test left out by the budget of 1.5 s: test_a.py::test_3",
        ]
    )
    (selection,) = recorded.of("run/selection")
    assert selection["collected"] == 7
    assert selection["leftOut"] == {"budget": 1}
    assert selection["budget"].items() >= {"limitMs": 1500.0, "workers": 1, "always": 1}.items()
    assert selection["snapshot"]["runs"] == 2
    assert recorded.of("run/left-out") == [
        {"reason": "budget", "tests": ["test_a.py::test_3"], "offset": 0, "total": 1}
    ]
    assert recorded.of("run/plan")[0].items() >= {"total": 6, "deselected": 1}.items()


def test_a_budget_that_is_too_short_runs_what_always_runs(suite: Path, record: Record_) -> None:
    (suite / "test_new.py").write_text("def test_6(): pass\n")
    recorded = record("--semantest-budget=0.1s", options=())
    recorded.result.assert_outcomes(passed=2, deselected=6)
    recorded.result.stdout.fnmatch_lines(["semantest: the 2 tests that always run (*) take about 1 s, more than*"])


@pytest.mark.parametrize(
    ("url", "kept"), [(NOWHERE, "the one of * ago is used"), ("http://127.0.0.1:10", "there is none from before")]
)
def test_the_copy_from_one_recorder_is_not_taken_for_anothers(
    suite: Path, record: Record_, url: str, kept: str
) -> None:
    recorded = record("--co", "-q", "--semantest-order=failed-first", "--semantest-url", url, options=())
    recorded.result.stdout.fnmatch_lines([f"semantest: no snapshot from {url}: *; {kept}*"])


def test_a_test_that_was_renamed_is_no_new_one_and_one_that_was_not_asked_for_is_not_gone(
    pytester: pytest.Pytester, record: Record_
) -> None:
    """A new one would run whatever the budget is."""
    text = b"def (): assert 1"
    code = f"{crc32(text):08x}-{len(text):x}"
    slow = [5000.0, 0.1, "pp", code]
    pytester.makepyfile(test_a="def test_new(): assert 1", test_b="def test_b(): pass")
    found = {"version": 1, "runs": 2, "untilMs": 1.0, "tests": {"test_a.py::test_old": slow}}
    put_snapshot(pytester.path, json.dumps(found))
    budget = ("--semantest-budget=1s",)
    record(*budget, options=()).result.assert_outcomes(passed=1, deselected=1)
    pytester.makepyfile(test_a="def test_old(): assert 1", test_c="def test_new(): assert 1")
    record(*budget, "test_c.py", options=()).result.assert_outcomes(passed=1)
    record(*budget, "-k", "test_new", options=()).result.assert_outcomes(passed=1, deselected=2)


@pytest.mark.parametrize("content", [None, "", "{", '{"version": 9}'])
def test_without_a_snapshot_all_is_as_collected(
    pytester: pytest.Pytester, record: Record_, content: str | None
) -> None:
    pytester.makepyfile(**SUITE)
    if content is not None:
        put_snapshot(pytester.path, content)
    recorded = record("-v", "--semantest-order=likely-to-fail", "--semantest-budget=1s", options=())
    assert ran(recorded)[:7] == COLLECTED
    recorded.result.stdout.fnmatch_lines(
        ["semantest: *snapshot of earlier runs*; the order is as collected, the budget leaves nothing out"]
    )


@pytest.mark.parametrize("argument", ["--semantest-order=random", "--semantest-shard=5/4", "--semantest-budget=9"])
def test_what_cannot_be_understood_ends_pytest(suite: Path, record: Record_, argument: str) -> None:
    recorded = record(argument, options=())
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "semantest: --semantest-" in recorded.result.stderr.str()


@pytest.mark.parametrize("where", ["ini", "file", "environment"])
def test_it_is_set_up_where_everything_is(
    suite: Path, record: Record_, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "ini":
        (suite / "pytest.ini").write_text("[pytest]\nsemantest_order = slowest-first\n")
    elif where == "file":
        (suite / "semantest.toml").write_text('order = "slowest-first"\n')
    else:
        monkeypatch.setenv("SEMANTEST_ORDER", "slowest-first")
        monkeypatch.delenv(
            "PYTEST_CURRENT_TEST"
        )  # else it is one that a test starts, which the variable is not meant for
    assert ran(record("--collect-only", "-q", options=()))[0] == "3"
    assert ran(record("--collect-only", "-q", "--no-semantest", options=()))[0] == "1[x]"


def test_a_file_that_cannot_be_collected_stays_an_error(suite: Path, record: Record_) -> None:
    (suite / "test_broken.py").write_text("import nothing_of_that_name\n")
    recorded = record("--semantest-order=failed-first", "--semantest-shard=1/2", options=())
    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    recorded.result.assert_outcomes(errors=1)


def test_a_test_that_is_there_twice_runs_twice(suite: Path, record: Record_) -> None:
    recorded = record("--keep-duplicates", "test_b.py", "test_b.py", "--semantest-order=failed-first", options=KEPT)
    recorded.result.assert_outcomes(passed=2, failed=2)
    (plan,) = recorded.of("run/plan")
    assert sorted(plan["tests"]) == [f"test_b.py::test_{name}" for name in ("4", "4#2", "5", "5#2")]


def test_where_selection_breaks_all_runs(suite: Path, record: Record_, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "choose", broken)
    recorded = record("--semantest-shard=1/2", options=KEPT)
    recorded.result.assert_outcomes(passed=6, failed=1)
    recorded.result.stdout.fnmatch_lines(["semantest: nothing was selected: RuntimeError: of our own"])
    assert recorded.of("run/selection") == []


@pytest.mark.parametrize(("mode", "ends"), [("load", "os._exit(1)"), ("loadfile", "pass"), ("loadgroup", "pass")])
def test_all_workers_choose_alike(suite: Path, record: Record_, mode: str, ends: str) -> None:
    """Also the one that replaces a worker which dies; with --dist=loadfile xdist itself may then wait for ever."""
    (suite / "test_dies.py").write_text(f"import os\ndef test_6(): {ends}\n")
    selecting = ("--semantest-budget=2s", "--semantest-order=failed-first", "--semantest-shard=1/1")
    recorded = record("-n2", f"--dist={mode}", *selecting, subprocess=True)
    dies = ends != "pass"
    recorded.result.assert_outcomes(passed=6 - dies, failed=1 + dies)
    recorded.result.stdout.fnmatch_lines(
        ["semantest: NOT RUN: 1 test left out by the budget of 2 s: test_a.py::test_3"]
    )
    told = recorded.of("run/selection")
    assert len(told) == 2 + dies
    assert all(one == told[0] for one in told)
    assert told[0]["budget"]["workers"] == 2
    assert sum(len(one["tests"]) for one in recorded.of("run/left-out")) == 1
    (plan,) = recorded.of("run/plan")
    assert len(plan["tests"]) == 7


def test_no_order_sets_fixtures_up_more_often(pytester: pytest.Pytester, record: Record_) -> None:
    """Those of sessions with parameters, packages, modules and classes, autouse, xunit and unittest ones included."""
    pytester.makeconftest(
        """
        import pytest

        def note(name):
            with open("setups", "a") as file: file.write(name + "\\n")

        @pytest.fixture(scope="session", params=["x", "y"])
        def database(request): note(f"database {request.param}")

        @pytest.fixture(scope="package")
        def package(): note("package")

        @pytest.fixture(scope="module", params=[1, 2])
        def module(request): note(f"module {request.param}")

        @pytest.fixture(scope="class")
        def klass(): note("class")
        """
    )
    text = """
        import unittest
        import pytest
        from conftest import note

        class TestA:
            @classmethod
            def setup_class(cls): note("setup_class")
            def test_1(self): pass
            def test_2(self, klass): pass
            def test_3(self, module): pass

        class TestB(unittest.TestCase):
            @classmethod
            def setUpClass(cls): note("setUpClass")
            def test_1(self): pass
            def test_2(self): pass

        def test_4(database): pass
        def test_5(module): pass
        def test_6(klass): pass
        def test_7(package): pass
        def test_8(): pass
        @pytest.mark.parametrize("value", "ab", scope="module")
        def test_9(value): pass
        """
    pytester.makepyfile(test_a=text, test_b=text)
    record("-q", options=())
    usual = sorted((pytester.path / "setups").read_text().split("\n"))
    collected = [line for line in record("--co", "-q", options=()).result.outlines if "::" in line]
    tests = {name: [float(hash_of(name)), 0.1, "pf"[hash_of(name) % 2], None] for name in collected}
    put_snapshot(pytester.path, json.dumps({"version": 1, "runs": 1, "untilMs": 1.0, "tests": tests}))
    for order in ("failed-first", "slowest-first", "likely-to-fail"):
        (pytester.path / "setups").unlink()
        recorded = record("-q", f"--semantest-order={order}", options=())
        recorded.result.assert_outcomes(passed=len(collected))
        assert sorted((pytester.path / "setups").read_text().split("\n")) == usual, order


def hash_of(name: str) -> int:
    return crc32(name.encode()) % 997


OWES = {"schema": 1, "runs": ["earlier"], "chain": ["earlier"], "missing": [], "running": [], "complete": True}


def put_debt(monkeypatch: pytest.MonkeyPatch, tests: dict[str, list[object]]) -> None:
    """What an earlier run owes, as if somebody had been asked."""
    number = sum(bool(row[1]) for row in tests.values())
    state = "failed" if number else "passed"
    content = json.dumps(OWES | {"state": state, "outstanding": number, "tests": tests}).encode()
    monkeypatch.setattr(hooks, "ask_what_is_owed", lambda *_: Answer(content, parse_owed(content), []))


def test_a_shard_of_a_rerun_has_nothing_to_run_while_others_have(
    suite: Path, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_debt(monkeypatch, {"test_b.py::test_4": ["failed", True, None]})
    arguments = ("--semantest-rerun=earlier", "-p", "no:xdist")
    results = [record(*arguments, f"--semantest-shard={number}/2", options=()).result for number in (1, 2)]
    assert sorted(result.parseoutcomes().get("passed", 0) for result in results) == [0, 1]
    assert [result.ret for result in results] == [0, 0]
    both = "".join(result.stdout.str() for result in results)
    assert "semantest: nothing to run in this shard: what run earlier owes is in others" in both
    put_debt(monkeypatch, {"test_b.py::test_gone": ["failed", True, None]})
    assert record(*arguments, "--semantest-shard=1/2", options=()).result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_run_of_another_project_makes_nothing_green(
    suite: Path, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It owes nothing, and none of its tests is here: that nothing runs says nothing of those that are."""
    for test_id, code in (("x.py::t", pytest.ExitCode.NO_TESTS_COLLECTED), ("test_b.py::test_4", pytest.ExitCode.OK)):
        put_debt(monkeypatch, {test_id: ["passed", False, None]})
        result = record("--semantest-rerun=earlier", options=()).result
        assert (result.ret, result.parseoutcomes().get("passed")) == (code, None)
        told = "is that of another project or rootdir?" in result.stdout.str()
        assert told == (code != pytest.ExitCode.OK)


def test_a_rerun_that_breaks_runs_nothing(suite: Path, record: Record_, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test runs all when selection breaks; who asked for the rest must not get that."""
    put_debt(monkeypatch, {"test_b.py::test_5": ["failed", True, None]})
    monkeypatch.setattr(hooks, "choose", broken)
    recorded = record("--semantest-rerun=earlier", options=KEPT)
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--semantest-rerun: RuntimeError: of our own" in recorded.result.stderr.str()
    assert recorded.of("test/start") == []

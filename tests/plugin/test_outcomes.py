"""Each way in which a test can end, as pytest sees it and as it is written."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_


@pytest.mark.hazard(16)
def test_every_outcome(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("no database")

        @pytest.fixture
        def leaving():
            yield
            raise RuntimeError("cannot clean up")

        def test_passes(): pass
        def test_fails(): assert 1 == 2
        def test_setup_error(broken): pass
        def test_teardown_error(leaving): pass
        def test_fails_and_teardown_errors(leaving): assert 0
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
        def test_skips_itself(): pytest.skip("later")
        @pytest.mark.xfail(reason="known")
        def test_xfails(): assert 0
        @pytest.mark.xfail(reason="known")
        def test_xpasses(): pass
        @pytest.mark.xfail(strict=True, reason="known")
        def test_strict_xpass(): pass
        @pytest.mark.xfail(run=False, reason="hangs")
        def test_not_run(): pass
        """
    )
    recorded = record()
    ends = {name: payloads[0] for name, payloads in recorded.ends().items()}
    assert {name: payload["outcome"] for name, payload in ends.items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_setup_error": "error",
        "test_teardown_error": "error",
        "test_fails_and_teardown_errors": "failed",
        "test_skipped": "skipped",
        "test_skips_itself": "skipped",
        "test_xfails": "xfailed",
        "test_xpasses": "xpassed",
        "test_strict_xpass": "failed",
        "test_not_run": "xfailed",
    }
    assert ends["test_skipped"]["reason"] == "not today"
    assert ends["test_skips_itself"]["reason"] == "later"
    assert ends["test_xfails"]["reason"] == "known"
    assert ends["test_fails_and_teardown_errors"]["error"]["teardown"]["message"] == "RuntimeError: cannot clean up"
    error = ends["test_setup_error"]["error"]
    assert (error["type"], error["phase"], error["message"]) == ("RuntimeError", "setup", "RuntimeError: no database")
    assert error["file"] == "test_every_outcome.py"
    assert error["line"] == 5
    assert "no database" in error["stack"]
    assert set(ends["test_passes"]["phases"]) == {"setup", "call", "teardown"}
    assert ends["test_passes"]["duration"] == pytest.approx(sum(ends["test_passes"]["phases"].values()), abs=0.01)
    assert recorded.of("run/end")[0]["exitCode"] == recorded.result.ret == 1


def test_a_fixture_that_is_not_there_is_named(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(nope): pass\n\n\ndef test_b(request): request.getfixturevalue('nope')")
    errors = [end["error"] for end in record().of("test/end")]
    assert [error["message"] for error in errors] == ["fixture 'nope' not found"] * 2
    name = "test_a_fixture_that_is_not_there_is_named.py"
    assert [(error["file"], error["line"]) for error in errors] == [(name, 1), (name, 4)]


@pytest.mark.hazard(16)
def test_the_plan_comes_before_the_first_test(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.parametrize("n", range(3))
        def test_n(n): pass
        def test_left_out(): pass
        """
    )
    recorded = record("-k", "test_n")
    (plan,) = recorded.of("run/plan")
    name = "test_the_plan_comes_before_the_first_test.py"
    assert plan["tests"] == [f"{name}::test_n[{n}]" for n in range(3)]
    assert (plan["total"], plan["deselected"]) == (3, 1)
    assert [event.type for event in recorded.events][:3] == ["run/start", "run/plan", "test/start"]
    starts = recorded.of("test/start")
    assert [start["params"] for start in starts] == [{"n": "0"}, {"n": "1"}, {"n": "2"}]
    assert [(start["testName"], start["file"], start["line"], start["markers"]) for start in starts] == [
        (f"test_n[{n}]", name, 2, ["parametrize"]) for n in range(3)
    ]


def test_a_large_plan_is_written_in_chunks(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.parametrize('n', range(1203))\ndef test_n(n): pass")
    plans = record("-k", "n0 or 1200").of("run/plan")
    assert [plan["total"] for plan in plans] == [1]
    assert len(plans[0]["tests"]) == 1


def test_the_same_test_twice_gets_an_ordinal(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): pass")
    name = "test_the_same_test_twice_gets_an_ordinal.py"
    recorded = record("--keep-duplicates", name, name)
    ids = [start["testId"] for start in recorded.of("test/start")]
    assert ids == recorded.of("run/plan")[0]["tests"]
    assert len(set(ids)) == len(ids)


@pytest.mark.hazard(16)
def test_subtests(pytester: pytest.Pytester, record: Record_) -> None:
    pytest.importorskip("_pytest.subtests", reason="subtests came with pytest 9")
    pytester.makepyfile(
        """
        import unittest

        def test_two(subtests):
            with subtests.test("good", n=1): pass
            with subtests.test("bad", n=2): assert 0

        class TestOld(unittest.TestCase):
            def test_cases(self):
                for n in range(2):
                    with self.subTest(n=n):
                        self.assertEqual(n, 0)
        """
    )
    recorded = record()
    subtests = recorded.of("test/subtest")
    assert [(one["description"], one["outcome"]) for one in subtests if "test_two" in one["testId"]] == [
        ("[good] (n=1)", "passed"),
        ("[bad] (n=2)", "failed"),
    ]
    assert recorded.end("test_two")["outcome"] == "failed"
    assert recorded.end("TestOld::test_cases")["outcome"] == "failed"
    assert [one["outcome"] for one in subtests if "TestOld" in one["testId"]].count("failed") == 1


@pytest.mark.hazard(16)
def test_collection_errors_and_skipped_files(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        test_broken="import nothing_of_that_name",
        test_away="import pytest; pytest.skip('no display', allow_module_level=True)",
        test_good="def test_a(): pass",
    )
    recorded = record()
    errors = {payload["testId"]: payload for payload in recorded.of("collect/error")}
    assert set(errors) == {"test_broken.py", "test_away.py"}
    assert errors["test_broken.py"]["outcome"] == "failed"
    error = errors["test_broken.py"]["error"]
    told = "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert (error["message"], error["type"]) == (told, "ModuleNotFoundError")
    assert (errors["test_away.py"]["outcome"], errors["test_away.py"]["reason"]) == ("skipped", "no display")
    (end,) = recorded.of("run/end")
    assert end["exitCode"] == recorded.result.ret == 2
    assert end["stoppedEarly"]
    assert not end["interrupted"]
    assert "1 error during collection" in end["stopReason"]


@pytest.mark.hazard(16)
def test_no_tests_at_all(record: Record_) -> None:
    recorded = record()
    assert recorded.result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert recorded.of("run/plan")[0]["tests"] == []
    assert recorded.of("run/end")[0]["exitCode"] == 5


@pytest.mark.hazard(16)
def test_doctests_and_unittest_classes(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        lib='''
        def double(n):
            """
            >>> double(2)
            4
            >>> double(3)
            7
            """
            return 2 * n
        ''',
        test_case="""
        import unittest
        class TestThing(unittest.TestCase):
            def test_a(self): self.assertTrue(True)
            @unittest.skip("no")
            def test_b(self): pass
            @unittest.expectedFailure
            def test_c(self): self.fail()
        """,
    )
    recorded = record("--doctest-modules")
    assert {name: payloads[0]["outcome"] for name, payloads in recorded.ends().items()} == {
        "lib.double": "failed",
        "TestThing::test_a": "passed",
        "TestThing::test_b": "skipped",
        "TestThing::test_c": "xfailed",
    }
    assert "Expected:" in recorded.end("lib.double")["error"]["stack"]


@pytest.mark.hazard(2)
def test_ctrl_c_closes_the_open_test(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os, signal
        def test_before(): pass
        def test_stopped():
            print("about to stop")
            # A shell starts programs in the background with SIGINT ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        def test_never(): pass
        """
    )
    recorded = record(subprocess=True)
    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    stopped = recorded.end("test_stopped")
    assert stopped["outcome"] == "interrupted"
    assert [(log["stream"], log["phase"], log["text"]) for log in stopped["logs"]] == [
        ("stdout", "call", "about to stop\n")
    ]
    (end,) = recorded.of("run/end")
    assert (end["exitCode"], end["interrupted"], end["stoppedEarly"]) == (2, True, True)


@pytest.mark.hazard(2)
def test_a_second_ctrl_c_while_pytest_tells_of_the_first(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        class Impatient:
            def pytest_keyboard_interrupt(self):
                signal.raise_signal(signal.SIGINT)
        def pytest_sessionstart(session):
            session.config.pluginmanager.register(Impatient())
        """
    )
    pytester.makepyfile("import signal\ndef test_stopped(): signal.raise_signal(signal.SIGINT)\ndef test_never(): pass")
    recorded = record(subprocess=True)
    assert "LOST" not in recorded.result.stdout.str()
    assert recorded.end("test_stopped")["outcome"] == "interrupted"
    (end,) = recorded.of("run/end")
    assert end["interrupted"]


@pytest.mark.hazard(2)
def test_pytest_exit_closes_the_open_test(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("import pytest\ndef test_a(): pytest.exit('enough', returncode=7)")
    recorded = record()
    assert recorded.result.ret == 7
    assert recorded.end("test_a")["outcome"] == "interrupted"
    (end,) = recorded.of("run/end")
    assert (end["exitCode"], end["interrupted"], end["stopReason"]) == (7, True, "enough")


@pytest.mark.hazard(3)
def test_stopping_after_failures_is_no_interruption(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): assert 0\ndef test_b(): pass")
    recorded = record("-x")
    (end,) = recorded.of("run/end")
    assert (end["exitCode"], end["stoppedEarly"]) == (1, True)
    assert "interrupted" not in end
    assert list(recorded.ends()) == ["test_a"]


def test_an_exit_code_that_a_plugin_changes_late_is_corrected(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        def pytest_terminal_summary(terminalreporter): terminalreporter._session.exitstatus = 9
        """
    )
    pytester.makepyfile("def test_a(): pass")
    recorded = record()
    assert recorded.result.ret == 9
    assert [end["exitCode"] for end in recorded.of("run/end")] == [0, 9]


@pytest.mark.hazard(16)
def test_collect_only_records_nothing(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): pass")
    recorded = record("--collect-only")
    assert recorded.result.ret == 0
    assert recorded.events == []
    assert not (pytester.path / ".semantest").exists()


def test_tests_without_a_result_are_said_loudly(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item):
            return True if item.name == "test_swallowed" else None  # a plugin that drops a test
        """
    )
    pytester.makepyfile("def test_a(): pass\ndef test_swallowed(): pass")
    recorded = record()
    assert recorded.result.ret == 0
    recorded.result.stdout.fnmatch_lines(["semantest: LOST: 1 planned test has no result; see: semantest report"])


def test_nothing_is_said_to_be_lost_when_pytest_stopped(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): assert 0\ndef test_b(): pass")
    recorded = record("-x")
    assert "LOST" not in recorded.result.stdout.str()

"""``--semantest-fail-on``: a green session that hits a policy ends with exit code 1 and says why; others stay."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_

FLAKY = """
    tries = []
    def test_flaky():
        tries.append(1)
        assert len(tries) > 1
    def test_ok(): pass
"""
HIT = "semantest: exit code 1: --semantest-fail-on "


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_flaky_test_fails_a_green_session(
    pytester: pytest.Pytester, record: Record_, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(FLAKY)
    policies = ("--semantest-fail-on", "lost,flaky", "--semantest-fail-on=warnings")
    found = record("--semantest-retries=1", *options, *policies)
    assert found.result.ret == 1
    (name,) = (path.stem for path in pytester.path.glob("test_*.py"))
    found.result.stdout.fnmatch_lines([f"{HIT}flaky: 1 test failed, then passed: {name}.py::test_flaky"])
    found.result.stdout.no_fnmatch_line("*fail-on lost*")
    assert found.of("run/end")[-1]["exitCode"] == 1


def test_what_failed_at_last_is_failed_and_not_flaky(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        tries = []
        @pytest.fixture
        def bad_teardown():
            yield
            assert 0
        def test_bad(): assert 0
        def test_that_passed_and_could_not_clean_up(bad_teardown):
            tries.append(1)
            assert len(tries) > 1
        """
    )
    found = record("--semantest-retries=1", "--semantest-fail-on=flaky")
    assert found.result.ret == 1
    found.result.stdout.no_fnmatch_line("*fail-on*")


def test_warnings_as_an_ini_file_asks_for_it(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("import warnings\ndef test_warns(): warnings.warn('mind the gap')")
    pytester.makeini("[pytest]\nsemantest_fail_on =\n    warnings\n    flaky")
    found = record()
    assert found.result.ret == 1
    found.result.stdout.fnmatch_lines([f"{HIT}warnings: 1 warning"])


def test_what_is_lost_is_told(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_ok(): pass\ndef test_gone(): pass")
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item):
            return True if item.name == "test_gone" else None
        """
    )
    found = record("--semantest-fail-on=lost")
    assert found.result.ret == 1
    found.result.stdout.fnmatch_lines([f"{HIT}lost: 1 test planned without a result"])


def test_what_cannot_be_judged_is_told_and_is_a_failure_only_where_strictness_is_asked_for(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile("def test_ok(): pass")
    found = record("--semantest-fail-on=new-failures", "--semantest-fail-on=left-out")
    assert found.result.ret == 0
    found.result.stdout.fnmatch_lines(["semantest: --semantest-fail-on new-failures: *(not judged)"])
    found.result.stdout.no_fnmatch_line("*left-out*")
    found = record("--semantest-fail-on=slower", "--semantest-report-timeout=0", "--semantest-strict")
    assert found.result.ret == 1


def test_a_policy_that_does_not_exist_ends_pytest_before_any_test(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("open('imported', 'w').close()")
    found = record("--semantest-fail-on=flakky")
    assert found.result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no policy 'flakky': did you mean 'flaky'?" in found.result.stderr.str()
    assert not (pytester.path / "imported").exists()

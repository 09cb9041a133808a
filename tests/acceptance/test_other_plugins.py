"""Plugins of others that change how tests run, as far as the recording knows of them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.acceptance.conftest import WATCHED, Project, states

HANGS = """
    import time
    import pytest
    from watched import wait_until_watched
    def test_before(): wait_until_watched()
    @pytest.mark.timeout(0.5{method})
    def test_hangs():
        print("about to hang", flush=True)
        time.sleep(60)
    def test_after(): pass
"""


def write(project: Project, source: str) -> None:
    (project.path / "watched.py").write_text(WATCHED)
    (project.path / "test_user.py").write_text(dedent(source))


@pytest.mark.hazard(1)
def test_timeout_by_signal(project: Project) -> None:
    pytest.importorskip("pytest_timeout")
    write(project, HANGS.format(method=""))
    code, output = project.pytest()
    assert code == 1, output
    report = project.report()
    assert states(report) == {"test_before": "passed", "test_hangs": "timeout", "test_after": "passed"}
    assert report["run"]["state"] == "failed"


@pytest.mark.hazard(1)
@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "xdist"])
def test_timeout_that_ends_the_process(project: Project, workers: tuple[str, ...]) -> None:
    pytest.importorskip("pytest_timeout")
    write(project, HANGS.format(method=", method='thread'"))
    project.pytest(*workers)
    report = project.report()
    found = states(report)
    assert found["test_hangs"] == "timeout"
    assert found["test_after"] == ("passed" if workers else "not_run")
    (attempt,) = next(test["attemptsDetail"] for test in report["tests"] if test["name"] == "test_hangs")
    assert attempt["durationMs"] >= 475


@pytest.mark.hazard(8)
def test_forked_tests(project: Project) -> None:
    pytest.importorskip("pytest_forked")
    write(
        project,
        """
        import os
        def test_a(): print("in a child")
        def test_dies(): os.kill(os.getpid(), 9)
        def test_fails(): assert 0
        """,
    )
    bare, _ = project.pytest("--forked", "-k", "test_a", recorded=False)
    if bare:
        pytest.skip("this pytest-forked does not work with this pytest")
    for options in ((), ("--semantest-retries=1",)):
        code, output = project.pytest("--forked", *options)
        assert code == 1, output
        report = project.report()
        assert states(report) == {"test_a": "passed", "test_dies": "crashed", "test_fails": "failed"}
        assert report["run"]["state"] == "failed"

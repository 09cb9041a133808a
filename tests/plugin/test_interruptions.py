"""Ctrl-C and ``pytest.exit`` outside of a test's own function."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_

pytestmark = pytest.mark.hazard(2)


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "pytest.exit('enough')"], ids=["ctrl-c", "exit"])
@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_a_fixture_that_is_interrupted(pytester: pytest.Pytester, record: Record_, where: str, how: str) -> None:
    before, after = (how, "pass") if where == "setup" else ("pass", how)
    pytester.makepyfile(
        f"""
        import pytest
        @pytest.fixture
        def resource():
            print("about to stop")
            {before}
            yield
            {after}
        def test_before(): pass
        def test_stopped(resource): pass
        def test_never(): pass
        """
    )
    # In a process of its own: within this one the interruption would be pytester's.
    recorded = record(subprocess=True)
    assert recorded.result.ret == pytest.ExitCode.INTERRUPTED
    assert sorted(recorded.ends()) == ["test_before", "test_stopped"]
    stopped = recorded.end("test_stopped")
    assert stopped["outcome"] == "interrupted"
    assert set(stopped["phases"]) == (set() if where == "setup" else {"setup", "call"})
    (end,) = recorded.of("run/end")
    assert (end["exitCode"], end["interrupted"]) == (2, True)

"""How long tests take, as it is written, whatever they do to the clock."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_


@pytest.mark.hazard(10)
def test_durations_of_tests_that_move_the_clock_of_pytest(pytester: pytest.Pytester, record: Record_) -> None:
    """As freezegun does when a fixture of a class or module freezes the time: pytest's own durations are wrong then."""
    pytester.makepyfile(
        """
        import select
        import pytest
        wait = select.poll().poll
        @pytest.fixture(scope="module", params=[2e9, -2e9], ids=["ahead", "behind"])
        def frozen(request):
            patch = pytest.MonkeyPatch()
            patch.setattr("_pytest.timing.perf_counter", lambda: request.param)
            yield
            patch.undo()
        def test_first(frozen): pass
        def test_waits(frozen): wait(51)
        def test_skips(frozen): pytest.skip("later")
        def test_fails(frozen): assert 0
        """
    )
    recorded = record("--tb=no")
    recorded.result.assert_outcomes(passed=4, skipped=2, failed=2)
    starts = {event.payload["testId"]: event.timestamp for event in recorded.events if event.type == "test/start"}
    ends = {event.payload["testId"]: event for event in recorded.events if event.type == "test/end"}
    for test_id, end in ends.items():
        elapsed = end.timestamp - starts[test_id] + 1  # timestamps are whole milliseconds
        assert (50 if "waits" in test_id else 0) < end.payload["duration"] <= elapsed
        assert all(0 <= duration <= elapsed for duration in end.payload["phases"].values())
        assert list(end.payload["phases"]) == ["setup", "call", "teardown"]
    assert {one["phase"] for one in recorded.of("test/phase")} == {"call"}
    assert all(0 <= one["duration"] < 60_000 for one in recorded.of("test/phase"))

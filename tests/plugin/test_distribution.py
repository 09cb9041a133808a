"""xdist: one recorder for all workers, each test once with its worker."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_

SUITE = """
    import pytest
    @pytest.mark.parametrize("n", range(12))
    def test_n(n): pass
    @pytest.mark.xdist_group("g")
    def test_grouped(): pass
    class TestInside:
        def test_method(self): pass
"""


@pytest.mark.hazard(5)
@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "loadgroup", "worksteal"])
def test_each_test_once_whatever_the_distribution(pytester: pytest.Pytester, record: Record_, dist: str) -> None:
    pytester.makepyfile(SUITE)
    recorded = record("-n2", f"--dist={dist}", subprocess=True)
    recorded.result.assert_outcomes(passed=14)
    planned = recorded.of("run/plan")[0]["tests"]
    assert len(planned) == 14
    assert not any("@" in test_id for test_id in planned)
    ended = [payload["testId"] for payload in recorded.of("test/end")]
    assert sorted(ended) == sorted(planned)
    workers = {event.worker for event in recorded.events if event.type == "test/end"}
    assert workers <= {"gw0", "gw1"}


@pytest.mark.hazard(5)
def test_dist_each_runs_each_test_once_per_worker(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): pass")
    recorded = record("--dist=each", "--tx", "2*popen", subprocess=True)
    assert sorted(event.worker for event in recorded.events if event.type == "test/end") == ["gw0", "gw1"]
    assert len(recorded.of("run/plan")) == 1


@pytest.mark.hazard(4)
def test_a_worker_that_dies_is_told_and_replaced(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os, pytest
        def test_dies(): os._exit(1)
        @pytest.mark.parametrize("n", range(6))
        def test_n(n): pass
        """
    )
    recorded = record("-n2", subprocess=True)
    crashes = recorded.of("worker/crash")
    named = [crash for crash in crashes if "testId" in crash]
    assert len(named) == 1
    assert named[0]["testId"].endswith("::test_dies")
    assert "crashed while running" in named[0]["reason"]
    assert named[0]["source"].endswith("." + named[0]["worker"])
    assert len(recorded.of("worker/start")) == 3
    assert sorted(recorded.ends()) == [f"test_n[{n}]" for n in range(6)]


@pytest.mark.hazard(3)
def test_stopping_at_the_first_failure(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.parametrize("n", range(40))
        def test_n(n): assert n
        """
    )
    recorded = record("-n2", "-x", subprocess=True)
    (end,) = recorded.of("run/end")
    assert (end["exitCode"], end["stoppedEarly"], end["interrupted"]) == (2, True, False)
    assert end["exitCode"] == recorded.result.ret
    assert "stopping after 1 failures" in end["stopReason"]


@pytest.mark.hazard(5)
def test_import_errors_do_not_vanish(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(test_broken="import nothing_of_that_name", test_good="def test_a(): pass")
    recorded = record("-n2", subprocess=True)
    assert "test_broken.py" in {error["testId"] for error in recorded.of("collect/error")}


def test_warnings_of_workers_are_written_by_their_worker(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("import warnings\ndef test_a(): warnings.warn('careful')")
    recorded = record("-n1", subprocess=True)
    assert [(event.worker, event.payload["message"]) for event in recorded.events if event.type == "test/warning"] == [
        ("gw0", "careful")
    ]


@pytest.mark.hazard(7)
def test_a_crashed_test_that_is_rescheduled_is_a_second_attempt(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os, pathlib
        def test_dies_once(request):
            marker = pathlib.Path("died")
            if not marker.exists():
                marker.touch()
                # The controller has taken in that it may run again: pytest-rerunfailures tells that without an answer.
                request.config.failures_db.get_test_reruns(request.node.nodeid)
                os._exit(1)
        def test_other(): pass
        """
    )
    recorded = record("-n1", "--semantest-retries=1", subprocess=True)
    recorded.result.assert_outcomes(passed=2)
    starts = [
        (event.worker, event.payload["attempt"])
        for event in recorded.events
        if event.type == "test/start" and event.payload["testId"].endswith("dies_once")
    ]
    assert starts == [("gw0", 1), ("gw1", 2)]
    assert recorded.end("test_dies_once")["outcome"] == "passed"

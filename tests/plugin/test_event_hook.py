"""``pytest_semantest_event``: others change or drop events before they are written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugin.conftest import Record_


def test_an_event_can_be_changed_or_dropped(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        def pytest_semantest_event(event):
            if event["type"] == "test/log":
                if event["payload"]["message"] == "noise":
                    return False
                event["payload"]["message"] = event["payload"]["message"].upper()
                event["payload"]["testId"] = "somebody/else.py::test_x"
                event["payload"]["by"] = "conftest"
                return event
            if event["type"] == "run/start":
                return {**event, "payload": {**event["payload"], "runId": "stolen", "args": ["***"]}}
        """
    )
    pytester.makepyfile(
        """
        def test_a(semantest):
            semantest.log("noise")
            semantest.log("signal")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    (log,) = recorded.of("test/log")
    assert (log["message"], log["by"]) == ("SIGNAL", "conftest")
    assert log["testId"].endswith("::test_a")
    (start,) = recorded.of("run/start")
    assert start["args"] == ["***"]
    assert start["runId"] == start["session"]
    assert "semantest: pytest_semantest_event" not in recorded.result.stdout.str()


KEPT_LINE = "semantest: pytest_semantest_event: {}; such events are written unchanged"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return False", "run/start cannot be dropped"),
        ("raise OSError('broken filter')", "OSError: broken filter"),
        ("import pytest; pytest.fail('odd')", "Failed: odd"),
        ("return 'text'", "it gave str, not a dict, False or None"),
        ("return {}", "it gave no event of type run/start with a payload"),
        (
            "return {**event, 'payload': {**event['payload'], 'x': object()}}",
            "TypeError: Object of type object is not JSON serializable",
        ),
    ],
)
def test_mistakes_are_told_once_and_the_ledger_stays_whole(
    pytester: pytest.Pytester, record: Record_, body: str, told: str
) -> None:
    pytester.makeconftest(f"def pytest_semantest_event(event):\n    {body}\n")
    pytester.makepyfile("def test_a(): pass\ndef test_b(): assert 0")
    recorded = record("-q", "-n1", subprocess=True)
    assert recorded.result.ret == 1
    kinds = [(event.worker, event.type) for event in recorded.events]
    for kind in ("run/start", "run/plan", "run/end"):
        assert ("main", kind) in kinds
    assert [kind for worker, kind in kinds if worker == "gw0" and kind != "test/phase"] == [
        "worker/start",
        *["test/start", "test/end"] * 2,
        "worker/end",
    ]
    lines = [line for line in recorded.result.outlines if line.startswith("semantest: pytest_semantest_event")]
    assert lines == [KEPT_LINE.format(told)]


def test_one_mistake_hides_no_other(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        def pytest_semantest_event(event):
            if event["type"] == "test/start":
                return "text"
            if event["type"] == "test/end":
                raise OSError("broken filter")
        """
    )
    pytester.makepyfile("def test_a(): pass\ndef test_b(): pass")
    recorded = record("-q")
    lines = [line for line in recorded.result.outlines if line.startswith("semantest: pytest_semantest_event")]
    assert lines == [
        KEPT_LINE.format("it gave str, not a dict, False or None"),
        KEPT_LINE.format("OSError: broken filter"),
    ]


def test_conftest_files_of_subfolders_are_heard(pytester: pytest.Pytester, record: Record_) -> None:
    folder = pytester.mkpydir("sub")
    (folder / "conftest.py").write_text(
        "def pytest_semantest_event(event):\n    return False if event['type'] == 'test/log' else None\n"
    )
    (folder / "test_a.py").write_text("def test_a(semantest): semantest.log('x')\n")
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert not recorded.of("test/log")
    assert len(recorded.of("test/end")) == 1


def test_a_hook_that_tells_the_recording_something_is_not_asked_about_it(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makeconftest(
        """
        import pytest
        told = []

        @pytest.fixture(autouse=True)
        def keep(semantest):
            told[:] = [semantest]
            yield
            told.clear()

        def pytest_semantest_event(event):
            if told and event["type"] == "test/log":
                told[0].log(f"saw {event['payload']['message']}")
        """
    )
    pytester.makepyfile("def test_a(semantest): semantest.log('x')")
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert [log["message"] for log in recorded.of("test/log")] == ["saw x", "x"]


def test_what_a_hook_adds_is_redacted(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2hunter2")
    pytester.makeconftest(
        """
        import os
        def pytest_semantest_event(event):
            if event["type"] == "test/end":
                event["payload"]["environment"] = {"list": [dict(os.environ)["SHOP_TOKEN"]]}
                event["payload"]["outcome"] = "passed"
                return event
        """
    )
    pytester.makepyfile("def test_a(): assert 0")
    recorded = record("-q")
    end: dict[str, Any] = recorded.end("test_a")
    assert end["environment"] == {"list": ["[REDACTED]"]}
    assert end["outcome"] == "failed"


def test_nobody_who_implements_it_costs_nothing(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import gc, sys
        def test_a():
            assert "pytest_semantest.event_hook" not in sys.modules
            assert "pytest_semantest.shared_journal" not in sys.modules
            assert "pytest_semantest.details" not in sys.modules
        """
    )
    recorded = record("-q", subprocess=True)
    assert recorded.result.ret == 0, recorded.result.stdout.str()

"""A plugin that takes too long is given up: nothing of ingest waits for it longer than the limit, nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from semantest_recorder.core.batch import Batch, Committed, Verdict
from semantest_recorder.plugins import Context, Event, Failure, Run, Test, hookimpl
from semantest_recorder.plugins.backlog import MAX_NOTICED
from semantest_recorder.plugins.builtin.event_filter import EventFilter
from semantest_recorder.plugins.running import MAX_TIMEOUTS
from tests.recorder.store.ingesting import MAIN, RUN, begin, event, passed, whole_run

from .plugged import plugged, wait_for
from .test_on_event import EVENTS, Quiet, Upper

SHORT = {"timeout": 0.2}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


@pytest.fixture
def free() -> Iterator[threading.Event]:
    """Ends what is stuck when the test is over."""
    released = threading.Event()
    yield released
    released.set()


class Recording:
    """Keeps failures and how often it was initialized."""

    name = "recording"

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.started: list[bool] = []

    @hookimpl
    def initialize(self, context: Context) -> None:
        self.started.append(context.restarted)

    @hookimpl
    def on_error(self, failure: Failure) -> None:
        self.failures.append(failure)


class Stuck:
    """Never comes back from an event of type ``custom/stuck``, in one of several ways."""

    name = "stuck"

    def __init__(self, how: str, free: threading.Event) -> None:
        self.how, self.free, self.calls = how, free, 0

    @hookimpl
    def on_event(self, event: Event) -> Any:
        if event.type != "test/log":
            return None
        self.calls += 1
        return self.free.wait(60) if self.how == "sync" else self.never()

    async def never(self) -> None:
        if self.how == "blocks after awaiting":
            await asyncio.sleep(0)
            self.free.wait(60)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if self.how == "awaits":
                    raise


@pytest.mark.parametrize("how", ["sync", "blocks after awaiting"])
def test_a_plugin_that_holds_the_thread_is_left_behind_and_disabled(
    path: Path, free: threading.Event, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, recording = Stuck(how, free), Recording()
    with plugged(path, Upper(), stuck, Quiet(), recording, section=SHORT) as recorder:
        verdict = recorder.send(MAIN, 1, EVENTS)
        assert isinstance(verdict, Committed)
        assert verdict.seq == len(EVENTS)
        assert recorder.stored()[1][2]["message"] == "HELLO", "what others did before it stays"
        assert recorder.marks() == [
            (2, "changed", "plugin upper"),
            (2, "failed", "plugin stuck: was given up"),
            (3, "dropped", "plugin quiet"),
        ], "what others do behind it is done"
        assert isinstance(recorder.send(MAIN, 6, EVENTS[1:2]), Committed)
        status = recorder.dispatcher.status()
        wait_for(lambda: bool(recording.failures))
    assert stuck.calls == 1
    assert recording.started == [False, True]
    assert status["replacedThreads"] == 1
    found = {plugin["name"]: plugin["disabledBecause"] for plugin in status["plugins"]}
    assert "held the thread" in found.pop("stuck")
    assert set(found.values()) == {None}
    assert recording.failures[0].timed_out
    assert any(record.levelno == logging.ERROR and "stuck is disabled" in record.message for record in caplog.records)


@pytest.mark.parametrize("how", ["awaits", "refuses to be cancelled"])
def test_an_awaiting_plugin_is_cancelled_and_disabled_when_it_goes_on_so(
    path: Path, free: threading.Event, how: str
) -> None:
    stuck, recording = Stuck(how, free), Recording()
    with plugged(path, stuck, Upper(), recording, section=SHORT) as recorder:
        sent = [begin(), *[EVENTS[1]] * (MAX_TIMEOUTS + 1)]
        assert isinstance(recorder.send(MAIN, 1, sent), Committed)
        assert [entry[2]["message"] for entry in recorder.stored()[1:]] == ["HELLO"] * (MAX_TIMEOUTS + 1)
        counts = recorder.counts("stuck", "on_event")
        assert (counts["timeouts"], stuck.calls) == (MAX_TIMEOUTS, MAX_TIMEOUTS)
        assert recorder.dispatcher.status()["replacedThreads"] == 0
    assert [failure.timed_out for failure in recording.failures] == [True] * MAX_TIMEOUTS


def test_a_stuck_lifecycle_hook_does_not_keep_events_from_being_stored(path: Path, free: threading.Event) -> None:
    class Slow:
        name = "slow"

        @hookimpl
        def after_test(self, test: Test) -> None:
            free.wait(60)

    with plugged(path, Slow(), Upper(), section=SHORT) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        for seq in range(6, 30):
            assert isinstance(recorder.send(MAIN, seq, [event("custom/x")]), Committed)
        wait_for(lambda: recorder.dispatcher.status()["replacedThreads"] == 1)


@pytest.mark.parametrize("stuck_in", ["the hook", "on_event"])
def test_what_a_stuck_plugin_was_told_is_told_to_those_behind_it(
    path: Path, free: threading.Event, stuck_in: str
) -> None:
    waits, told = threading.Event(), list[str]()

    class Sticks:
        name = "sticks"

        @hookimpl
        def after_test_run(self, run: Run) -> None:
            if stuck_in == "the hook":
                free.wait(60)

        @hookimpl
        def on_event(self, event: Event) -> None:
            if event.type == "custom/stick":
                free.wait(60)

    class Writes:
        name = "writes"

        @hookimpl
        async def after_test_run(self, run: Run) -> None:
            told.append(f"begun {run.run_id}")
            waits.set()
            if stuck_in == "on_event" and len(told) == 1:
                await asyncio.sleep(60)
            told.append(f"written {run.run_id}")

    with plugged(path, Sticks(), Writes(), section={"timeout": 2 if stuck_in == "on_event" else 0.3}) as recorder:
        assert isinstance(recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t"))), Committed)
        assert waits.wait(60)
        if stuck_in == "on_event":
            sticking = [begin("later", "later"), event("custom/stick")]
            assert isinstance(recorder.send("later.main", 1, sticking), Committed)
        wait_for(lambda: f"written {RUN}" in told)
        wait_for(lambda: recorder.dispatcher.status()["replacedThreads"] == 1)
    assert told.count(f"written {RUN}") == 1


def test_threads_that_hang_are_nobody_elses(path: Path, free: threading.Event) -> None:
    told = threading.Event()

    class Hangs:
        tasks: ClassVar[list[asyncio.Task[bool]]] = []

        @hookimpl
        async def before_test_run(self, run: Run) -> None:
            self.tasks.extend(asyncio.create_task(asyncio.to_thread(free.wait, 60)) for _ in range(40))

    class Writes:
        @hookimpl
        async def after_test_run(self, run: Run) -> None:
            await asyncio.to_thread(told.set)

    with plugged(path, Hangs(), Writes()) as recorder:
        assert isinstance(recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t"))), Committed)
        assert told.wait(30)


def test_a_run_that_cannot_be_read_is_told_when_it_can(path: Path) -> None:
    tries, told = list[str](), threading.Event()

    class Writes:
        @hookimpl
        def after_test_run(self, run: Run) -> None:
            told.set()

    def read(run_id: str) -> dict[str, object]:
        tries.append(run_id)
        if len(tries) == 1:
            raise OSError("locked")
        return {}

    with plugged(path, Writes()) as recorder:
        recorder.dispatcher._backlog.read_summary = read
        assert isinstance(recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t"))), Committed)
        assert told.wait(60)
    assert tries == [RUN, RUN]


def test_awaiting_lifecycle_hooks_do_not_hold_up_events(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semantest_recorder.plugins.dispatch.TELL_TIMEOUT_S", 0.2)
    entered = threading.Event()

    class Waits:
        name = "waits"

        @hookimpl
        async def after_test(self, test: Test) -> None:
            entered.set()
            await asyncio.sleep(60)

    with plugged(path, Waits(), Upper(), section={"timeout": 3600}) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert entered.wait(60)
        assert isinstance(recorder.send(MAIN, 6, EVENTS[1:2]), Committed)


def tasks_of(part: str) -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if part in repr(task.get_coro())]


@pytest.mark.parametrize("part", ["", "_beat", "_serve", "_tell"])
@pytest.mark.parametrize("awaits", [False, True])
def test_a_plugin_that_cancels_tasks_of_the_thread_has_failed_and_ends_nothing(
    path: Path, part: str, awaits: bool
) -> None:
    class Cancels:
        name = "cancels"

        @hookimpl
        def on_event(self, event: Event) -> Any:
            return self.cancel_later() if awaits else self.cancel()

        @hookimpl
        async def after_test(self, test: Test) -> None:
            await asyncio.sleep(0)
            self.cancel()

        def cancel(self) -> None:
            for task in tasks_of(part):
                task.cancel()

        async def cancel_later(self) -> None:
            await asyncio.sleep(0)
            self.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    recording = Recording()
    with plugged(path, Cancels(), Upper(), recording, section=SHORT) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert recorder.stored()[1][2]["message"] == "HELLO"
        wait_for(lambda: recorder.counts("cancels", "after_test")["failures"] == 1)
        counts = recorder.counts("cancels", "on_event")
        assert (counts["failures"], counts["calls"]) == (len(EVENTS), len(EVENTS))
        assert counts["lastError"] == "RuntimeError: it cancelled tasks that are not its own"
        assert recorder.dispatcher.status()["replacedThreads"] == 0
    assert recording.started == [False]


@pytest.mark.parametrize("part", ["_beat", "_serve", "_tell"])
def test_a_thread_of_which_a_part_was_cancelled_all_the_same_is_replaced(path: Path, part: str) -> None:
    class Cancels:
        name = "cancels"
        calls = 0
        tests = 0

        @hookimpl
        async def on_event(self, event: Event) -> None:
            Cancels.calls += 1
            if Cancels.calls == 2:
                for task in tasks_of(part):
                    asyncio.get_running_loop().call_soon(task.cancel)

        @hookimpl
        def after_test(self, test: Test) -> None:
            Cancels.tests += 1

    recording = Recording()
    with plugged(path, Cancels(), Upper(), recording, section=SHORT) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
        assert recorder.stored()[1][2]["message"] == "HELLO"
        wait_for(lambda: recorder.dispatcher.status()["replacedThreads"] == 1)
        assert isinstance(recorder.send(MAIN, 6, passed("a.py::u")), Committed)
        wait_for(lambda: Cancels.tests == 2)
    assert recording.started == [False, True]


def test_hooks_of_tests_are_left_out_and_counted_when_plugins_lag_behind_those_of_runs_are_not(
    path: Path, free: threading.Event
) -> None:
    entered, ended = threading.Event(), list[str]()

    class Lags:
        name = "lags"
        tests = 0

        @hookimpl
        def after_test(self, test: Test) -> None:
            Lags.tests += 1
            entered.set()
            free.wait(60)

        @hookimpl
        def after_test_run(self, run: Any) -> None:
            ended.append(f"{run.run_id} {run.state} {run.passed_tests}")

    with plugged(path, Lags(), section={"timeout": 3600}) as recorder:
        recorder.send("a.main", 1, whole_run("a", passed("a.py::t")))
        assert entered.wait(60)
        count = MAX_NOTICED // 2
        tests = [part for number in range(count) for part in passed(f"a.py::t{number}")]
        assert isinstance(recorder.send("b.main", 1, [begin("b"), *tests]), Committed)
        more = [part for number in range(10) for part in passed(f"b.py::t{number}")]
        assert isinstance(
            recorder.send("b.main", 2 * count + 2, [*more, event("run/end", runId="b", exitCode=0)]), Committed
        )
        status = recorder.dispatcher.status()
        assert status["skippedEvents"] > 0
        free.set()
        wait_for(lambda: len(ended) == 2)
    assert ended == ["a passed 1", f"b passed {count + 10}"]


def test_the_end_does_not_wait_for_ever(path: Path, free: threading.Event) -> None:
    class Clings:
        name = "clings"

        @hookimpl
        def destroy(self) -> None:
            free.wait()

    with plugged(path, Clings(), Upper(), section={"timeout": 3600}) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)
    with pytest.raises(RuntimeError):
        recorder.writer.submit(Batch(MAIN, 6, [event("x")], 1.0), lambda verdict: None)


def test_what_is_still_with_a_stuck_plugin_at_the_end_is_not_acknowledged(path: Path, free: threading.Event) -> None:
    verdicts: list[Verdict] = []
    with plugged(path, Stuck("sync", free), section={"timeout": 3600}) as recorder:
        recorder.writer.submit(Batch(MAIN, 1, list(EVENTS), 1.0), verdicts.append)
    free.set()
    assert verdicts == []
    with plugged(path, Upper()) as recorder:
        assert isinstance(recorder.send(MAIN, 1, EVENTS), Committed)


@pytest.mark.parametrize("how", ["raises", "gives nonsense", "sticks"])
def test_what_a_guard_could_not_look_at_is_not_stored(
    path: Path, free: threading.Event, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Without the filter, secrets would be in the log for good."""
    look = EventFilter.on_event

    def fails(self: EventFilter, event: Event) -> Any:
        if b"hunter2" not in event.text:
            return look(self, event)
        if how == "sticks":
            free.wait(60)
        if how == "raises":
            raise RuntimeError("a fault of ours")
        return "nonsense"

    monkeypatch.setattr(EventFilter, "on_event", hookimpl(trylast=True)(fails))
    secret = {"password": "hunter2hunter2"}
    error = {"message": "hunter2hunter2"}
    ending = event("test/end", 3.0, testId="a.py::t", attempt=1, outcome="failed", status="hunter2", error=error)
    sent = [begin(), *passed("a.py::t")[:1], event("test/log", testId="a.py::t", message="hunter2hunter2"), ending]
    with plugged(path, section={**SHORT, "enabled": ["event-filter"]}, builtin=True) as recorder:
        assert isinstance(recorder.send(MAIN, 1, sent), Committed)
        assert isinstance(recorder.send(MAIN, 5, [event("custom/x", **secret)] * 5), Committed)
        stored = [payload for _seq, _kind, payload in recorder.stored()]
        (filter_,) = [one for one in recorder.dispatcher.status()["plugins"] if one["name"] == "event-filter"]
        assert filter_["disabledBecause"] is None, "it goes on guarding"
        assert "hunter2" not in str(stored)
        assert stored[3] == {"testId": "a.py::t", "attempt": 1, "outcome": "failed", "withheld": True}
        assert stored[2]["reason"] == "plugin event-filter could not look at it"
        assert recorder.rows("SELECT state FROM results") == [("failed",)]

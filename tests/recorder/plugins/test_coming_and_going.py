"""Plugins that are registered while the recorder runs, and the last calls of those that it has."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.embedding import create_orchestrator_integration
from semantest_recorder.plugins import Context, Event, Failure, Suite, Test, hookimpl
from semantest_recorder.plugins.configuration import InvalidPlugins
from tests.recorder.store.ingesting import MAIN, RUN, begin, event, passed, whole_run

from .plugged import plugged
from .test_on_event import Upper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


class Opening:
    """Opens something first, which takes until ``open`` is called."""

    name = "opening"

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.seen: list[str] = []

    @hookimpl
    async def initialize(self) -> None:
        self.loop, self.opened = asyncio.get_running_loop(), asyncio.Event()
        self.begun.set()
        await self.opened.wait()

    def open(self) -> None:
        self.loop.call_soon_threadsafe(self.opened.set)

    @hookimpl
    def on_event(self, event: Event) -> None:
        self.seen.append(event.type)


@pytest.mark.parametrize("before", [[], [Upper()]], ids=["the first plugin", "a later one"])
def test_nothing_of_a_plugin_is_called_before_it_is_initialized(path: Path, before: list[object]) -> None:
    opening = Opening()
    with plugged(path, *before, section={"timeout": 60}) as recorder, ThreadPoolExecutor() as pool:
        registered = pool.submit(recorder.dispatcher.register, opening)
        assert opening.begun.wait(60)
        recorder.send(MAIN, 1, [begin()])
        assert opening.seen == []
        opening.open()
        assert registered.result(60).name == "opening"
        recorder.send(MAIN, 2, [event("custom/x")])
    assert opening.seen == ["custom/x"]


class Failing:
    """Cannot be initialized."""

    name = "failing"

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def initialize(self) -> None:
        raise OSError("no server")

    @hookimpl
    def on_event(self, event: Event) -> None:
        self.seen.append(event.type)


@pytest.mark.parametrize("before", [[], [Upper()]], ids=["the first plugin", "a later one"])
def test_a_plugin_whose_initialize_fails_is_disabled_whenever_it_comes(path: Path, before: list[object]) -> None:
    failing = Failing()
    with plugged(path, *before) as recorder:
        taken = recorder.dispatcher.register(failing)
        recorder.send(MAIN, 1, [begin()])
        assert taken.disabled == "its initialize failed: OSError: no server"
        recorder.dispatcher.unregister("failing")
    assert failing.seen == []


def test_a_plugin_that_holds_the_thread_in_initialize_is_disabled_and_others_go_on(path: Path) -> None:
    free = threading.Event()

    class Stuck:
        name = "stuck"

        @hookimpl
        def initialize(self) -> None:
            free.wait(60)

    with plugged(path, Upper(), section={"timeout": 0.2}) as recorder:
        taken = recorder.dispatcher.register(Stuck())
        recorder.send(MAIN, 1, [begin(), event("test/log", message="hello")])
        free.set()
        assert "initialize held the thread" in taken.disabled
        assert recorder.stored()[1][2]["message"] == "HELLO"


def test_plugins_that_come_at_the_same_time_share_one_thread_and_are_initialized_once(path: Path) -> None:
    threads: set[int] = set()
    starts: Counter[str] = Counter()

    class Counting:
        @hookimpl
        async def initialize(self, context: Context) -> None:
            threads.add(threading.get_ident())
            starts[context.name] += 1

    async def register() -> None:
        system = create_orchestrator_integration(path, {"require_authentication": False})
        orchestrator = system.get_orchestrator()
        await asyncio.gather(*(orchestrator.register_plugin(Counting(), f"number {n}") for n in range(8)))
        await system.shutdown()

    asyncio.run(register())
    assert starts == {f"number {n}": 1 for n in range(8)}
    assert len(threads) == 1


class Misspelt:
    """Wants an argument that there is not."""

    @hookimpl
    def on_event(self, evnt: Event) -> None: ...


class Wrapping:
    """Wraps other plugins, which is not supported."""

    @hookimpl(wrapper=True)
    def on_event(self, event: Event) -> Any:
        return (yield)


class Nothing:
    """Implements nothing."""


@pytest.mark.parametrize(("wrong", "said"), [(Misspelt, "evnt"), (Wrapping, "wrapper"), (Nothing, "no hook")])
def test_a_name_is_free_again_when_its_plugin_could_not_be_registered(path: Path, wrong: type, said: str) -> None:
    with plugged(path) as recorder:
        with pytest.raises(InvalidPlugins, match=said):
            recorder.dispatcher.register(wrong(), "mine")
        recorder.dispatcher.register(Upper(), "mine")
        recorder.send(MAIN, 1, [begin(), event("test/log", message="hello")])
        assert recorder.stored()[1][2]["message"] == "HELLO"


def test_nothing_of_a_plugin_is_called_behind_its_destroy(path: Path) -> None:
    calls: list[str] = []
    waiting = asyncio.Event()

    class Slow:
        name = "slow"

        @hookimpl
        async def after_test(self, test: Test) -> None:
            calls.append("after_test")
            await waiting.wait()

        @hookimpl
        def after_suite(self, suite: Suite) -> None:
            calls.append("after_suite")

        @hookimpl
        def on_error(self, failure: Failure) -> None:
            calls.append("on_error")

        @hookimpl
        async def destroy(self) -> None:
            calls.append("destroy")
            waiting.set()
            for _ in range(100):  # whatever else the loop has to do is done
                await asyncio.sleep(0)
            raise ValueError("too late to be told")

    with plugged(path, Slow(), section={"timeout": 60}) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t")))
        recorder.writer.close()
        recorder.dispatcher.close(within_s=0.0)
    assert calls == ["after_test", "destroy"]


def test_after_the_end_nothing_can_be_registered(path: Path) -> None:
    with plugged(path, Upper()) as recorder:
        pass
    with pytest.raises(InvalidPlugins, match="the recorder is stopping"):
        recorder.dispatcher.register(Failing())

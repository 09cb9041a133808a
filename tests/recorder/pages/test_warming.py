"""What takes long is found again after a run, before somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from semantest_recorder.core.batch import Committed, RawEvent
from semantest_recorder.pages.warming import Warming

EVENT = RawEvent("custom/x", 1.0, msgspec.Raw(b"{}"))


def committed(run: str, state: str, events: int = 1) -> Committed:
    return Committed(f"{run}.main", events, run, "main", [EVENT] * events, [], state)


class Works:
    """What is to be found, how often it was, and a moment to wait for."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.done = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, runs: list[str]) -> list[Callable[[], object]]:
        self.runs.append(runs)
        return [lambda: 1 // 0, lambda: self._loop.call_soon_threadsafe(self.done.set)]


def test_it_is_found_once_runs_have_ended_and_one_that_fails_keeps_none_back() -> None:
    async def follow() -> None:
        works = Works()
        warming = Warming(works, 0.001)
        warming.note(committed("first", "running"))
        assert works.runs == []
        warming.note(committed("second", "passed"))
        warming.note(committed("first", "failed"))
        async with asyncio.timeout(60):
            await works.done.wait()
            works.done.clear()
            warming.note(committed("first", "failed"))
            await works.done.wait()
        assert works.runs == [["first", "second"], ["first"]]

    asyncio.run(follow())


def test_it_waits_while_much_comes_in() -> None:
    async def follow() -> None:
        works = Works()
        warming = Warming(works, 0.001)
        warming.note(committed("first", "passed"))
        loop = asyncio.get_running_loop()
        until = loop.time() + 0.1
        while loop.time() < until:
            warming.note(committed("other", "running", 100))
            await asyncio.sleep(0)
        assert works.runs == []
        async with asyncio.timeout(60):
            await works.done.wait()
        assert works.runs == [["first"]]

    asyncio.run(follow())

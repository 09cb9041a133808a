"""``performance``: slow tests, very slow ones, and those much slower than they usually are.

What it finds are lines in the recorder's log (``WARNING``), one per test and a summary per run; nothing is added to the
event log, where a finding would only repeat the durations that are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from pytest_semantest.protocol.layout import HISTORY
from semantest_recorder.plugins.arguments import Context, Run, Test
from semantest_recorder.plugins.builtin.lines import duration, one_line
from semantest_recorder.plugins.builtin.options import InvalidOptions, read_options
from semantest_recorder.plugins.hookspecs import hookimpl

_RUNS = 64
_Ms = Annotated[float, msgspec.Meta(gt=0)]


class PerformanceOptions(msgspec.Struct, frozen=True):
    """``slow`` and ``very_slow`` in milliseconds.

    A test is slower than usual from ``factor`` times its usual duration on, when that is ``least`` milliseconds more.
    ``lines``: at most so many tests of a run are named, the summary counts all.
    """

    slow: _Ms = 1000.0
    very_slow: _Ms = 10_000.0
    factor: Annotated[float, msgspec.Meta(gt=1)] = 3.0
    least: Annotated[float, msgspec.Meta(ge=0)] = 200.0
    lines: Annotated[int, msgspec.Meta(ge=0)] = 20


class Finding(NamedTuple):
    """Why a test is named: ``slow``, ``very slow``, or ``slower than usual`` (``usual`` is set then)."""

    kind: str
    usual: float | None = None


class _History(msgspec.Struct):
    version: int
    durations: dict[str, float] = msgspec.field(default_factory=dict)


def judge(taken: float, usual: float | None, options: PerformanceOptions) -> Finding | None:
    """What is to be said of a test that took ``taken`` milliseconds (pure)."""
    if taken >= options.very_slow:
        return Finding("very slow", usual)
    if usual is not None and taken >= options.factor * usual and taken - usual >= options.least:
        return Finding("slower than usual", usual)
    return Finding("slow", usual) if taken >= options.slow else None


class Performance:
    """Judges each attempt that passed or failed by itself; usual times are read again when a run starts."""

    def __init__(self) -> None:
        self._options = PerformanceOptions()
        self._context: Context | None = None
        self._usual: dict[str, float] = {}
        self._counts: dict[str, dict[str, int]] = {}

    @staticmethod
    def read(options: Mapping[str, Any]) -> PerformanceOptions:
        """The options. Raises ``InvalidOptions``."""
        found = read_options(options, PerformanceOptions)
        if found.very_slow < found.slow:
            raise InvalidOptions("very_slow is less than slow")
        return found

    @hookimpl
    async def initialize(self, context: Context) -> None:
        """Takes the options. Raises ``InvalidOptions``."""
        self._options = self.read(context.options)
        self._context = context
        await self._read_history()

    @hookimpl
    async def before_test_run(self) -> None:
        """The recorder writes the history anew when a run closes."""
        await self._read_history()

    @hookimpl
    def after_test(self, test: Test) -> None:
        """A line when the test is slow."""
        if test.duration is None or test.status == "skipped" or self._context is None:
            return
        found = judge(test.duration, self._usual.get(test.test_id), self._options)
        counts = self._counts_of(test.run_id)
        counts["tests"] = counts.get("tests", 0) + 1
        if found is None:
            return
        counts[found.kind] = counts.get(found.kind, 0) + 1
        if sum(count for kind, count in counts.items() if kind != "tests") <= self._options.lines:
            usually = f", usually {duration(found.usual)}" if found.usual is not None else ""
            name = one_line(test.test_id)
            fields = {"run": test.run_id, "test": test.test_id}
            told = (found.kind, name, duration(test.duration), usually)
            self._context.log.warning("%s: %s took %s%s", *told, extra={"fields": fields})

    @hookimpl
    def after_test_run(self, run: Run) -> None:
        """The summary, when any test was slow."""
        counts = self._counts.pop(run.run_id, {})
        tests = counts.pop("tests", 0)
        if counts and self._context is not None:
            said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            fields = {"run": run.run_id}
            self._context.log.warning("run %s: of %d attempts %s", run.run_id, tests, said, extra={"fields": fields})

    def _counts_of(self, run_id: str) -> dict[str, int]:
        if run_id not in self._counts and len(self._counts) >= _RUNS:
            del self._counts[next(iter(self._counts))]
        return self._counts.setdefault(run_id, {})

    async def _read_history(self) -> None:
        if self._context is not None:
            self._usual = await asyncio.to_thread(usual_durations, self._context.directory / HISTORY)


def usual_durations(path: Path) -> dict[str, float]:
    """``durations`` of ``history.json``; empty when there is none, or one of another version."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_History)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found.durations if found.version == 1 else {}

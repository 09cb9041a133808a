"""``console``: a line on stderr as each test ends, and a summary as each run closes; records, where the log is JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from semantest_recorder.plugins.arguments import Context, Run, Test, to_stderr
from semantest_recorder.plugins.builtin.lines import duration, one_line
from semantest_recorder.plugins.builtin.options import read_options
from semantest_recorder.plugins.hookspecs import hookimpl


class ConsoleOptions(msgspec.Struct, frozen=True):
    """``tests``: of which tests a line is written; ``slowest``: how many slow ones the summary names."""

    tests: Literal["all", "bad", "none"] = "all"
    slowest: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class ConsoleReporter:
    """Writes for people who look at ``serve``; nothing in a name or error can do anything to their terminal."""

    def __init__(self) -> None:
        self._options = ConsoleOptions()
        self._say: Callable[[str], None] = to_stderr
        self._slowest: dict[str, list[tuple[float, str]]] = {}

    @staticmethod
    def read(options: Mapping[str, Any]) -> ConsoleOptions:
        """The options. Raises ``InvalidOptions``."""
        return read_options(options, ConsoleOptions)

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options."""
        self._options = self.read(context.options)
        self._say = context.say

    @hookimpl
    def before_test_run(self, run: Run) -> None:
        """The run begins."""
        self._write(f"run {run.run_id}{f' ({run.name})' if run.name else ''} started")

    @hookimpl
    def after_test(self, test: Test) -> None:
        """A test ended."""
        outcome = test.outcome or test.status
        if self._options.slowest and test.duration is not None:
            slowest = self._slowest.setdefault(test.run_id, [])
            slowest.append((test.duration, test.test_id))
            slowest.sort(reverse=True)
            del slowest[self._options.slowest :]
        is_bad = test.status == "failed"
        if self._options.tests == "none" or (self._options.tests == "bad" and not is_bad):
            return
        again = " (will be run again)" if test.will_retry else f" (attempt {test.attempt})" if test.attempt > 1 else ""
        line = f"{outcome.upper():<9} {test.test_id}  {duration(test.duration)}{again}"
        message = str((test.error or {}).get("message") or "").strip()
        if is_bad and message:
            line += f": {message.splitlines()[0][:200]}"
        self._write(line)

    @hookimpl
    def after_test_run(self, run: Run) -> None:
        """The run is over."""
        numbers = ", ".join(f"{count} {state}" for state, count in run.counts.items() if count and state != "total")
        took = run.end_time - run.start_time if run.end_time is not None and run.start_time is not None else None
        again = " (again: events came late)" if run.again else ""
        came = f" so far: {run.shard_count - run.shards_missing} of {run.shard_count} shards"
        state = run.state + (came if run.state == "passed" and run.shards_missing else "")
        self._write(f"run {run.run_id}: {state}, {numbers or 'no tests'}, {duration(took)}{again}")
        for taken, test_id in self._slowest.pop(run.run_id, []):
            self._write(f"  slow: {duration(taken)} {test_id}")

    def _write(self, line: str) -> None:
        self._say(one_line(line))

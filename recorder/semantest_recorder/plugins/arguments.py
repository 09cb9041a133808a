"""What hooks are given beside events. Times are milliseconds since the epoch, durations milliseconds."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from semantest_recorder.plugins.event import Event

#: The id of a run to its report, as ``semantest report --json`` prints it (docs/reference/report.schema.json).
ReadReport = Callable[[str], Mapping[str, Any]]


class Picture(msgspec.Struct, frozen=True):
    """A picture of a test, as its event ``id`` says; ``failed``: whether an attempt of the test did."""

    id: str
    test_id: str
    failed: bool
    payload: Mapping[str, Any]


#: The id of a run to its pictures, those of a test together.
ReadPictures = Callable[[str], Iterable[Picture]]


class Step(msgspec.Struct, frozen=True):
    """A step that a test told of; times as its events have them, ``None`` for one that did not come.

    ``parent_id``: the step that it is in, empty for none; ``status``: ``passed failed skipped``, ``open`` with no end.
    """

    test_id: str
    attempt: int
    source: str
    step_id: str
    parent_id: str
    name: str
    status: str = "open"
    started_ms: float | None = None
    ended_ms: float | None = None
    error: str = ""


#: The id of a run to the steps of its tests, those of a process in the order in which they began.
ReadSteps = Callable[[str], Iterable[Step]]


class Told(msgspec.Struct, rename="camel", kw_only=True):
    """Base of what hooks are given: ``to_wire`` gives it as the wire has it, in camelCase."""

    def to_wire(self) -> dict[str, Any]:
        """The same as a dict of JSON values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class Run(Told):
    """A run. ``status``: ``running completed failed cancelled``, as the wire has it; ``state``: such as ``passed``.

    The numbers are those of ``after_test_run``; before it they are 0. ``counts``: final states of tests by name.
    ``again``: the run had closed before, and events that came late have been stored since. ``shard_count``: of how many
    shards it is, 0 when it is not of shards; a run that ``passed`` without ``shards_missing`` of them passed so far.
    """

    run_id: str
    status: str = "running"
    state: str = "running"
    name: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    exit_code: int | None = None
    total_suites: int = 0
    completed_suites: int = 0
    total_tests: int = 0
    completed_tests: int = 0
    passed_tests: int = 0
    failed_tests: int = 0
    skipped_tests: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    again: bool = False
    shard_count: int = 0
    shards_missing: int = 0


class Suite(Told):
    """A test file or class, or what a client calls a suite. The numbers of ``before_suite`` but ``total_tests`` are 0.

    Of a suite that a client ended the numbers are those that it gave.
    """

    run_id: str
    suite_id: str
    suite_name: str = ""
    timestamp: float = 0.0
    duration: float | None = None
    total_tests: int = 0
    passed_tests: int = 0
    failed_tests: int = 0
    skipped_tests: int = 0


class Test(Told):
    """One attempt at a test. ``status`` (``running passed failed skipped``), ``outcome`` and ``duration`` as it ended.

    ``error``: ``{message, type?, stack?, file?, line?}``. ``payload`` is all that its event says.
    """

    __test__ = False

    run_id: str
    test_id: str
    test_name: str = ""
    attempt: int = 1
    worker: str = ""
    source: str = ""
    timestamp: float = 0.0
    status: str = "running"
    outcome: str | None = None
    duration: float | None = None
    error: dict[str, Any] | None = None
    will_retry: bool = False
    payload: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A call of a plugin that raised, took too long or gave what cannot be used; ``event`` for ``on_event``."""

    plugin: str
    hook: str
    message: str
    timed_out: bool = False
    event: Event | None = None

    def to_wire(self) -> dict[str, Any]:
        """The same as a dict of JSON values."""
        event = self.event.to_wire() if self.event is not None else None
        return {
            "plugin": self.plugin,
            "hook": self.hook,
            "message": self.message,
            "timedOut": self.timed_out,
            "event": event,
        }


def no_report(run_id: str) -> Mapping[str, Any]:
    """Where runs cannot be read. Raises ``LookupError``."""
    raise LookupError(f"the report of {run_id} cannot be read here")


def no_pictures(run_id: str) -> Iterable[Picture]:
    """Where runs cannot be read. Raises ``LookupError``."""
    raise LookupError(f"the pictures of {run_id} cannot be read here")


def no_steps(run_id: str) -> Iterable[Step]:
    """Where runs cannot be read. Raises ``LookupError``."""
    raise LookupError(f"the steps of {run_id} cannot be read here")


def to_stderr(line: str) -> None:
    """Writes a line for whoever looks at the recorder."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Context:
    """What a plugin has to work with, given to ``initialize``.

    ``options``: the plugin's own part of the configuration. ``directory``: the ``.semantest`` folder. ``log``
    goes where the recorder's log goes. ``read_report``, ``read_pictures`` and ``read_steps`` read what is stored of a
    run and block: call them by ``await asyncio.to_thread(...)``.
    ``say`` writes a line for people to stderr; where the log is JSON, the line is a record of it.
    ``restarted``: the plugin was initialized before, in a thread and an event loop that are gone.
    """

    name: str
    directory: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("semantest.plugins"))
    read_report: ReadReport = no_report
    say: Callable[[str], None] = to_stderr
    restarted: bool = False
    read_pictures: ReadPictures = no_pictures
    read_steps: ReadSteps = no_steps

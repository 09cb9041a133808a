"""Asks processes of a session for the stacks of their threads, as somebody wants to know what they are doing.

A signal that nobody catches kills: before it is sent, the process must be the one that wrote the journal (liveness.py),
catch the signal, and still hold the memory into which it writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pytest_semantest.protocol.events import WORKER_STACK, Event
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper.output import open_of_process
from pytest_semantest.shipper.source import FollowedSource

#: What is kept of one dump, in bytes; the main thread comes last.
STACK_MAX: Final = 64 * 1024
#: How long a process has for its dump, and how long nothing was written when it is over, in seconds: on a busy machine
#: others run in the middle of it.
_PATIENCE_S: Final = 3.0
_QUIET_S: Final = 0.3
_LOOK_S: Final = 0.02


class _Waiting:
    """A process that was asked; ``fd`` is its memory, which held ``begin`` bytes before."""

    def __init__(self, source: FollowedSource, fd: int, now: float) -> None:
        self.source = source
        self.fd = fd
        self.begin = self.size = os.fstat(fd).st_size
        self.asked = self.changed = now


class StackDumps:
    """What was asked of processes and is not answered yet. Times are monotonic seconds and wall milliseconds."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._waiting: dict[str, _Waiting] = {}

    def ask(self, source: FollowedSource, run_id: str, now: float, wall_ms: float) -> list[Event]:
        """Asks a process, unless it was asked already; the event that says why it cannot be asked."""
        if source.worker in self._waiting:
            return []
        asked = _asked(source, now)
        if isinstance(asked, str):
            return [_event(source, run_id, wall_ms, problem=asked)]
        self._waiting[source.worker] = asked
        return []

    def step(self, run_id: str, now: float, wall_ms: float) -> list[Event]:
        """The answers that are complete."""
        events = []
        for worker, waiting in list(self._waiting.items()):
            with suppress(OSError):
                size = os.fstat(waiting.fd).st_size
                if size != waiting.size:
                    waiting.size, waiting.changed = size, now
            written = waiting.size > waiting.begin
            if (written and now - waiting.changed >= _QUIET_S) or now - waiting.asked >= _PATIENCE_S:
                del self._waiting[worker]
                events.append(self._answer(waiting, run_id, wall_ms))
        return events

    def wait_s(self) -> float | None:
        """How long to wait for the next ``step``; ``None``: nobody was asked."""
        return _LOOK_S if self._waiting else None

    def close(self) -> None:
        """Lets go of what is held open."""
        for waiting in self._waiting.values():
            os.close(waiting.fd)
        self._waiting.clear()

    def _answer(self, waiting: _Waiting, run_id: str, wall_ms: float) -> Event:
        try:
            length = waiting.size - waiting.begin
            data = os.pread(waiting.fd, min(length, 4 * STACK_MAX), max(waiting.begin, waiting.size - 4 * STACK_MAX))
            os.ftruncate(waiting.fd, 0)
        except OSError as error:
            return _event(waiting.source, run_id, wall_ms, problem=f"its stacks cannot be read: {error.strerror}")
        finally:
            os.close(waiting.fd)
        if not data:
            problem = f"it wrote nothing within {_PATIENCE_S:g} s: it is stopped, or blocks the signal"
            return _event(waiting.source, run_id, wall_ms, problem=problem)
        text = _tail(self._redactor.redact(data.decode("utf-8", "replace")))
        return _event(waiting.source, run_id, wall_ms, text=text)


def _asked(source: FollowedSource, now: float) -> _Waiting | str:
    """Sends the signal; why it cannot be sent."""
    watch, start = source.watch, source.digest.start or {}
    if watch is None or source.is_dead:
        return "the process has ended"
    if watch.foreign:
        return "the process runs on another machine or in another container than its shipper"
    told = start.get("stacks")
    number, pid = (told.get("signal"), start.get("pid")) if isinstance(told, Mapping) else (None, None)
    if not isinstance(number, int) or not isinstance(pid, int):
        return "the process does not offer its stacks: --semantest-stacks is off, or its system is not Linux"
    fd = open_of_process(pid, told, os.O_RDWR)
    if fd is None:
        return "a test has closed what its stacks are written into"
    waiting = _Waiting(source, fd, now)  # before the signal: a process may be quicker than we are
    if not _is_caught(pid, number) or not watch.send(number):
        os.close(fd)
        return "the process does not catch the signal any more"
    return waiting


def _is_caught(pid: int, number: int) -> bool:
    """Whether the process has a handler for the signal: one that has none dies of it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_bytes().splitlines()
        caught = next(int(line.split()[1], 16) for line in lines if line.startswith(b"SigCgt:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return False
    return 0 < number < 65 and bool(caught >> (number - 1) & 1)


def _tail(text: str) -> str:
    """The end of it, from a whole line on."""
    if len(text) <= STACK_MAX:
        return text
    cut = text[-STACK_MAX:]
    return f"... (cut)\n{cut.partition(chr(10))[2]}"


def _event(source: FollowedSource, run_id: str, wall_ms: float, **told: Any) -> Event:
    payload = {"runId": run_id, "worker": source.worker, "source": source.outbox.source, **told}
    test = source.digest.open_test
    if test is not None:
        payload |= {"testId": test.test_id, "attempt": test.attempt}
    return {"type": WORKER_STACK, "timestamp": wall_ms, "payload": payload}

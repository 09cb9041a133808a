"""``--sync``: ships what earlier shippers left, in the foreground, each session to the recorder it is meant for.

Ended sessions that nobody holds go first, then runs that go on without a shipper, then what another shipper holds: a
session that takes long, or cannot be shipped at all, keeps no other one from going.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_semantest.protocol.destination import destination, is_on_this_host, is_same_recorder
from pytest_semantest.protocol.layout import DISCOVERY, SHIP_YIELD, has_journal, session_folders
from pytest_semantest.shipper.diagnostics import LOG
from pytest_semantest.shipper.folder import is_running, sweep
from pytest_semantest.shipper.liveness import process_exists
from pytest_semantest.shipper.program import Settings, Termination, lock_of, ship
from pytest_semantest.shipper.progress import Progress
from pytest_semantest.shipper.results import Result, exit_code
from pytest_semantest.shipper.state import read_object, read_state
from pytest_semantest.shipper.terminal import hand_over, say

#: How often it is looked whether to go on waiting for another shipper.
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Leftover:
    """A session that is left: ``recorder``, where it goes (``None``: the project's own), and how it was found."""

    folder: Path
    recorder: str | None
    running: bool
    held: bool

    @property
    def name(self) -> str:
        """The session."""
        return self.folder.name

    @property
    def rank(self) -> tuple[bool, bool, str, str]:
        """What goes first is smaller."""
        return self.held, self.running, self.recorder or "", self.name


def sync(settings: Settings, termination: Termination) -> int:
    """Ships one or all leftover sessions within ``settings.timeout``, says one line of each, gives the exit code."""
    if not settings.dry_run:
        sweep(settings.directory)
    found = list(_leftovers(settings))
    if not found and settings.session is not None:
        _say(settings, f"{settings.session}: nothing is left to be shipped")
    results = [_planned(one) for one in found] if settings.dry_run else Sync(settings, termination).ship_all(found)
    for result in results:
        if settings.dry_run or not result.is_good:
            say(result.line())  # behind all the rest, where it is seen, and also when only errors are wanted
    if settings.json:
        for result in results:
            hand_over(result.json())
    return exit_code(results)


class Sync:
    """The shipping of what was found."""

    def __init__(self, settings: Settings, termination: Termination) -> None:
        self._deadline = time.monotonic() + settings.timeout
        self._settings = replace(settings, deadline=self._deadline)
        self._termination = termination
        self._vain: dict[str | None, Result] = {}  # by recorder that cannot be had

    def ship_all(self, found: list[Leftover]) -> list[Result]:
        """Ships them, and says what went well of each as soon as it is known."""
        waiting = deque(sorted(found, key=lambda one: one.rank))
        for one in waiting:
            if one.held and not one.running:
                _say(self._settings, f"waiting for the shipper of session {one.name}{_holder(one.folder)}")
        results = []
        while waiting:
            share = self._remaining / len({(other.held, other.running, other.recorder) for other in waiting})
            one = waiting.popleft()
            result = self._one(one, share)
            if result is None:
                waiting.append(replace(one, held=True))  # somebody was faster
                continue
            results.append(result)
            if result.outcome in ("unreachable", "refused"):
                self._vain[one.recorder] = result
            if result.is_good:
                _say(self._settings, result.line())
        return results

    @property
    def _remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _one(self, one: Leftover, share: float) -> Result | None:
        """Ships one session; ``None`` when another shipper has taken it just now.

        ``share``: for how long it may be tried without a recorder, or followed while it runs, in seconds.
        """
        if one.held and one.running:
            return Result(one.name, "followed", _holder(one.folder))
        if self._termination.deadline is not None:
            return Result(one.name, "terminated")
        try:
            with self._lock(one) as held:
                if held:
                    return self._ship(one, share) if has_journal(one.folder) else Result(one.name, "elsewhere")
        except OSError as error:
            if not has_journal(one.folder):
                return Result(one.name, "elsewhere")
            return Result(one.name, "unreadable", f"it cannot be read: {error.strerror}")
        except Exception as error:  # noqa: BLE001  the others are to be shipped; the session's log has the traceback
            return Result(one.name, "unreadable", f"unexpected {type(error).__name__}, see its {LOG}")
        if self._termination.deadline is not None:
            return Result(one.name, "terminated")
        return Result(one.name, "busy", _holder(one.folder)) if one.held else None

    def _ship(self, one: Leftover, share: float) -> Result:
        before = self._vain.get(one.recorder)
        if before is not None:
            return replace(before, session=one.name, acked=0, events=0)  # it would meet the same
        if self._remaining == 0:
            return Result(one.name, "late", recorder=one.recorder)
        settings = replace(
            self._settings,
            session=one.name,
            url=one.recorder,
            token=self._settings.token if self._may_have_token(one.recorder) else None,
            timeout=share,
            give_up=min(self._settings.give_up, share),
        )
        progress = Progress(one.name, time.monotonic())

        def watch(now: float, acked: int, events: int, trouble: str | None) -> None:
            line = progress.line(now, acked, events, trouble)
            if line is not None:
                _say(settings, line)

        return ship(settings, one.folder, self._termination, watch)

    def _may_have_token(self, recorder: str | None) -> bool:
        """A token that stands beside a recorder's address is for that one, not for any that a folder names.

        Without such an address it goes to recorders on this host only: folders come from elsewhere, too.
        """
        named = self._settings.url or self._settings.otherwise
        return recorder is None or (is_on_this_host(recorder) if named is None else is_same_recorder(recorder, named))

    @contextmanager
    def _lock(self, one: Leftover) -> Iterator[bool]:
        """The session's lock; false when another shipper has it, to the end of the time if it was seen to have it.

        Raises ``OSError`` when the folder cannot be used, or is gone.
        """
        lock = lock_of(one.folder)
        give_way = one.folder / SHIP_YIELD
        progress = Progress(one.name, time.monotonic())
        while not _acquired(lock, min(_LOOK_S, self._remaining) if one.held else 0.0):
            if not one.held or self._remaining == 0 or self._termination.deadline is not None:
                give_way.unlink(missing_ok=True)
                yield False
                return
            give_way.touch(mode=0o600)
            line = progress.line(time.monotonic(), *_told_counts(one.folder))
            if line is not None:
                _say(self._settings, line)
        try:
            give_way.unlink(missing_ok=True)
            yield True
        finally:
            lock.release()


def _leftovers(settings: Settings) -> Iterator[Leftover]:
    for folder in session_folders(settings.directory):
        if settings.session is not None and folder.name != settings.session:
            continue
        recorder = _recorder(settings, folder)
        if settings.own and recorder is not None:
            continue
        try:
            running = is_running(folder, time.time() * 1000)
            held = not _acquired(lock := lock_of(folder), 0.0)
            lock.release()
        except OSError:
            running = held = False  # what is wrong with it is met again, and told
        yield Leftover(folder, recorder, running, held)


def _recorder(settings: Settings, folder: Path) -> str | None:
    if settings.here:
        return None
    own = read_object(settings.directory / DISCOVERY).get("url")
    return settings.url or destination(read_state(folder), own, settings.otherwise)


def _planned(one: Leftover) -> Result:
    detail = (
        ", so far: it still runs" if one.running else f", after its shipper{_holder(one.folder)}" if one.held else ""
    )
    if one.running and one.held:
        return Result(one.name, "followed", _holder(one.folder), recorder=one.recorder)
    return Result(one.name, "planned", detail, recorder=one.recorder)


def _acquired(lock: FileLock, seconds: float) -> bool:
    try:
        lock.acquire(timeout=seconds, poll_interval=0.02)
    except Timeout:
        return False
    return True


def _holder(folder: Path) -> str:
    """`` (pid 123, why it does not get on)``: who holds a session, as far as that is told."""
    told = read_state(folder)
    pid, detail = told.get("pid"), told.get("detail")
    if not process_exists(pid):
        return ""
    return f" (pid {pid}, {detail})" if isinstance(detail, str) and detail else f" (pid {pid})"


def _told_counts(folder: Path) -> tuple[int, int]:
    """How many events the shipper that holds a session says are acknowledged, and how many it has read."""
    sources = read_state(folder).get("sources")
    told = [source for source in sources.values() if isinstance(source, dict)] if isinstance(sources, dict) else []

    def total(key: str) -> int:
        return sum(source[key] for source in told if isinstance(source.get(key), int))

    return total("acked"), total("read")


def _say(settings: Settings, text: str) -> None:
    if not settings.quiet:
        say(text)

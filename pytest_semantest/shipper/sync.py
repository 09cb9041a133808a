"""``--sync``: ships what earlier shippers left, in the foreground, each session to the recorder it is meant for.

Ended sessions that nobody holds go first, then runs that go on without a shipper, then what another shipper holds: a
session that takes long, or cannot be shipped at all, keeps no other one from going.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_semantest.protocol.appending import open_to_append
from pytest_semantest.protocol.destination import destination, is_on_this_host, is_same_recorder
from pytest_semantest.protocol.layout import (
    DISCOVERY,
    SHIP_LOCK,
    SHIP_YIELD,
    has_journal,
    lost_its_journals,
    session_folders,
)
from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.protocol.lock_holders import has_shipper
from pytest_semantest.protocol.small_file import read_object
from pytest_semantest.shipper.diagnostics import LOG
from pytest_semantest.shipper.folder import is_running, lock_of, sweep
from pytest_semantest.shipper.program import Settings, Termination, ship
from pytest_semantest.shipper.progress import Progress
from pytest_semantest.shipper.results import Outcome, Result, exit_code, lines
from pytest_semantest.shipper.state import read_state
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
    for line in lines(result for result in results if settings.dry_run or not result.is_good):
        say(line)  # behind all the rest, where it is seen, and also when only errors are wanted
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
        self._waits: dict[str, Progress] = {}  # by session that another shipper has

    def ship_all(self, found: list[Leftover]) -> list[Result]:
        """Ships them, and says what went well of each as soon as it is known."""
        waiting = deque(sorted(found, key=lambda one: one.rank))
        for one in waiting:
            if one.held and not one.running:
                _say(self._settings, f"waiting for the shipper of session {one.name}{_holder(one.folder)}")
                _ask(one.folder)  # each of them may take a while to let go
        results = []
        while waiting:
            share = self._remaining / len({(other.held, other.running, other.recorder) for other in waiting})
            patience = min(_LOOK_S / len(waiting), self._remaining)
            one = waiting.popleft()
            result = self._one(one, share, patience if one.held else 0.0)
            if result is None:
                waiting.append(replace(one, held=True))
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

    def _one(self, one: Leftover, share: float, patience: float) -> Result | None:
        """Ships one session; ``None`` when another shipper has it, and it is to be tried again in its turn.

        ``share``: for how long it may be tried without a recorder, or followed while it runs; ``patience``: for how
        long its lock is waited for. Both in seconds.
        """
        if one.held and one.running:
            return Result(one.name, "followed", _holder(one.folder))
        if self._termination.deadline is not None:
            return _left(one, "terminated")
        try:
            if not one.folder.is_dir():
                return _gone(one)  # taking the lock would make it again
            lock = lock_of(one.folder)
            if not _acquired(lock, patience):
                return self._held(one)
        except OSError as error:
            if not has_journal(one.folder):
                return _gone(one)  # just now
            return Result(one.name, "unreadable", f"its lock cannot be taken: {error.strerror}")
        try:
            (one.folder / SHIP_YIELD).unlink(missing_ok=True)
            return self._ship(one, share) if has_journal(one.folder) else _gone(one)
        except OSError as error:
            where = f"{Path(error.filename).name}: " if error.filename else ""
            return Result(one.name, "unreadable", f"it cannot be read: {where}{error.strerror}")
        except Exception as error:  # noqa: BLE001  the others are to be shipped; the session's log has the traceback
            return Result(one.name, "unreadable", f"unexpected {type(error).__name__}, see its {LOG}")
        finally:
            lock.release()

    def _held(self, one: Leftover) -> Result | None:
        """What to do about a session that another shipper has: asks for it, waits no longer when the time is over."""
        if one.held and self._remaining == 0:
            return _left(one, "busy", _holder(one.folder))
        _ask(one.folder)
        progress = self._waits.setdefault(one.name, Progress(one.name, time.monotonic()))
        line = progress.line(time.monotonic(), *_told_counts(one.folder))
        if line is not None:
            _say(self._settings, line)
        return None

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


def _leftovers(settings: Settings) -> Iterator[Leftover]:
    for folder in session_folders(settings.directory):
        if settings.session is not None and folder.name != settings.session:
            continue
        recorder = _recorder(settings, folder)
        if settings.own and recorder is not None:
            continue
        try:
            running = is_running(folder, time.time() * 1000)
        except OSError:
            running = False  # what is wrong with it is met again, and told
        yield Leftover(folder, recorder, running, has_shipper(folder))


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


def _ask(folder: Path) -> None:
    """Asks the shipper that holds a session to leave it when it has no recorder."""
    with suppress(OSError):  # the folder is gone
        os.close(open_to_append(folder / SHIP_YIELD))


def _left(one: Leftover, outcome: Outcome, detail: str = "") -> Result:
    """The result of a session that is left to whoever has it."""
    with suppress(OSError):
        (one.folder / SHIP_YIELD).unlink(missing_ok=True)
    return Result(one.name, outcome, detail)


def _gone(one: Leftover) -> Result:
    """The result of a session without journals: its shipper delivers all of it before it deletes them."""
    if lost_its_journals(one.folder):
        return Result(one.name, "unreadable", "its journals were deleted from outside")
    with suppress(OSError):
        if all(path.name in (SHIP_LOCK, SHIP_YIELD) for path in one.folder.iterdir()):  # made again with the lock
            for path in one.folder.iterdir():
                path.unlink()
            one.folder.rmdir()
    return Result(one.name, "elsewhere")


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

"""Carries faults out, and mends them when their time is over."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.fleet import Fleet, send
from tests.chaos.plan import WEIGHTS, Fault, Step
from tests.chaos.proxy import Proxy
from tests.recorder.small_disk import fill
from tests.wall_clock import WallClock

_DISK_MIB = 48
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "interrupt": signal.SIGINT}

Mend = Callable[[], None]


class Disk:
    """The ``.semantest`` folder on a file system of its own that can be filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        options = f"size={_DISK_MIB}m,mode=0700,uid={os.geteuid()}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.reason = (done.stderr.strip() or "mount failed")[:200] if done.returncode else ""

    def fill(self) -> None:
        """Takes all the room there is."""
        with suppress(OSError):
            fill(self._folder / "filler")

    def empty(self) -> None:
        """Gives it back."""
        (self._folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Takes the file system away."""
        if not self.reason:
            subprocess.run(["umount", "-l", str(self._folder)], capture_output=True, check=False)


class Faults:
    """``impossible``: which faults cannot be done on this machine, and why."""

    def __init__(self, fleet: Fleet, proxy: Proxy, disk: Disk, clock: WallClock) -> None:
        self._fleet = fleet
        self._proxy = proxy
        self._disk = disk
        self._clock = clock
        self.impossible: dict[Fault, str] = {}
        if disk.reason:
            self.impossible["fill disk"] = disk.reason
        if clock.reason:
            self.impossible["turn clock"] = clock.reason

        if not hasattr(resource, "prlimit"):
            for fault in ("forbid writing", "forbid opening"):
                self.impossible[fault] = "only Linux limits another process"

    @property
    def possible(self) -> list[Fault]:
        """What can be done here."""
        return [fault for fault in WEIGHTS if fault not in self.impossible]

    def carry_out(self, step: Step) -> Mend | None:
        """Does it, and gives what mends it; ``None`` when there was no victim."""
        match step.fault:
            case "kill recorder" | "stop recorder":
                return self._signal(self._fleet.recorder(), step.fault.startswith("kill"))
            case "kill shipper" | "stop shipper":
                return self._signal(_chosen(self._fleet.shippers(), step.pick), step.fault.startswith("kill"))
            case "kill worker" | "stop worker":
                workers = [process.pid for process in self._fleet.workers()]
                return self._end_or_stop(_chosen(workers, step.pick), step.fault)
            case "kill pytest" | "stop pytest" | "interrupt pytest":
                return self._end_or_stop(self._pytest(step), step.fault)
            case "cut connections":
                self._proxy.cut()
                return _nothing
            case "freeze connections":
                self._proxy.freeze()
                return self._proxy.thaw
            case "fill disk":
                return self._fill_disk()
            case "forbid writing":
                return _limit(self._fleet.recorder(), resource.RLIMIT_FSIZE)
            case "forbid opening":
                return _limit(self._fleet.recorder(), resource.RLIMIT_NOFILE)
            case "sync beside":
                return self._fleet.sync_beside()
            case "turn clock":
                self._clock.turn(step.turn_s)
                return _nothing

    def _fill_disk(self) -> Mend:
        over = set(self._fleet.exit_codes)
        self._disk.fill()

        def mend() -> None:
            met = {one.run_id for one in self._fleet.running} | (self._fleet.exit_codes.keys() - over)
            self._fleet.deaths.full |= met
            self._disk.empty()

        return mend

    def _pytest(self, step: Step) -> int | None:
        main = _chosen([one.process.pid for one in self._fleet.running], step.pick)
        if step.fault != "stop pytest":
            self._fleet.deaths.runs |= {one.run_id for one in self._fleet.running if one.process.pid == main}
        return main

    def _signal(self, pid: int | None, kill: bool) -> Mend | None:
        if pid is None or not send(pid, signal.SIGKILL if kill else signal.SIGSTOP):
            return None
        return _nothing if kill else lambda: _go_on(pid)

    def _end_or_stop(self, pid: int | None, fault: Fault) -> Mend | None:
        if pid is None:
            return None
        number = _SIGNALS[fault.partition(" ")[0]]
        if number != signal.SIGSTOP:
            self._fleet.note_death(pid)
        if not send(pid, number):
            return None
        return (lambda: _go_on(pid)) if number == signal.SIGSTOP else _nothing


def _go_on(pid: int) -> None:
    send(pid, signal.SIGCONT)


def _limit(pid: int | None, what: int) -> Mend | None:
    """The process may not write behind the first KiB of a file, or open one more."""
    if pid is None:
        return None
    try:
        before = resource.prlimit(pid, what)
        resource.prlimit(pid, what, (1024 if what == resource.RLIMIT_FSIZE else 3, before[1]))
    except OSError:
        return None
    return lambda: _lift(pid, what, before)


def _lift(pid: int, what: int, before: tuple[int, int]) -> None:
    with suppress(OSError):
        resource.prlimit(pid, what, before)


def _chosen(found: list[int], pick: float) -> int | None:
    return sorted(found)[int(pick * len(found))] if found else None


def _nothing() -> None:
    """It mends itself, or cannot be mended."""

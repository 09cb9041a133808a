"""One soak: a day of a team's recorder in minutes, and what the recorder used meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from tests.soak import plan
from tests.soak.clients import Clients, Work
from tests.soak.commands import Commands
from tests.soak.judging import MIB, RESTS_MIN, Finding, judge
from tests.soak.ledger import Ledger
from tests.soak.place import CommandFailedError, Place
from tests.soak.plan import Action, Step
from tests.soak.sampling import Sample, take_sample
from tests.wire import many_connections

#: What goes on at once at most; who comes then waits.
_AT_ONCE = 32
#: How often the recorder is looked at while it works, and its clock is turned, in seconds.
_LOOK_S = 0.25
#: ``cache_size`` of the connection that writes, and more.
_CACHE_BYTES = 80 * MIB
#: For how long everybody may take to leave, in seconds.
_LEAVE_S = 300.0
_STEADY_S = 0.3
#: After so long without a sign a run is over, whatever became of who recorded it.
_SILENT_S = 2 * 3600.0
_TOLD_S = 10.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """``seconds``: how long it took; ``hours``: how long that was for the recorder; ``broken``: in a line each."""

    seed: int
    seconds: float
    hours: float
    steps: Mapping[str, int]
    runs: int
    events: int
    at_rest: list[Sample]
    findings: list[Finding]
    broken: list[str]

    @property
    def is_good(self) -> bool:
        """Whether all stayed flat, and nothing went wrong."""
        return not self.broken and all(finding.is_good for finding in self.findings)


async def run_soak(root: Path, seed: int, seconds: float, hours: float, tell: Tell) -> Outcome:
    """Works for ``seconds``, which are ``hours`` for everybody in it. ``root`` is new and kept.

    Raises ``CommandFailedError`` when the recorder does not start, ``NoClockError`` where its clock cannot be turned.
    """
    with closing(Place(root, max(1.0, hours * 3600 / seconds))) as place:
        async with many_connections() as http:
            ledger = Ledger()
            clients = Clients(place, http, ledger)
            soak = _Soak(place, clients, Commands(clients), tell)
            looking = asyncio.create_task(soak.look())
            try:
                await soak.fill_cache()
                await soak.work(seed, seconds)
            finally:
                looking.cancel()
            took = soak.elapsed_s
            broken = ledger.broken + await soak.check()
            try:
                findings = judge(soak.at_rest, soak.under_way, await soak.empty())
            except ValueError as error:
                findings, broken = [], [*broken, str(error)]
            return Outcome(
                seed,
                took,
                hours * took / seconds,
                dict(soak.done.most_common()),
                ledger.runs,
                ledger.events,
                soak.at_rest,
                findings,
                broken,
            )


class _Soak:
    def __init__(self, place: Place, clients: Clients, commands: Commands, tell: Tell) -> None:
        self.at_rest: list[Sample] = []
        self.under_way: list[Sample] = []
        self.done: Counter[str] = Counter()
        self._place = place
        self._clients = clients
        self._commands = commands
        self._ledger = clients.ledger
        self._tell = tell
        self._began = time.monotonic()
        self._works = _works(clients, commands)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._steps = 0

    @property
    def elapsed_s(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    async def fill_cache(self) -> None:
        """Lets the database grow beyond what SQLite keeps of it in memory: else that would seem to grow later on."""
        rng = random.Random(0)
        for number in count(1):
            if self._sample().database > _CACHE_BYTES:
                return
            await self._clients.flood(rng, f"filling-{number}")

    async def work(self, seed: int, seconds: float) -> None:
        """Carries steps out until the time is over, and there is enough to judge; the last of them is a rest."""
        told = 0.0
        for step in plan.steps(seed):
            await asyncio.sleep(step.pause_s)
            await self._room.acquire()
            task = asyncio.create_task(self._carry_out(step), name=f"step {step.number}, {step.action}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._steps = step.number
            if not step.rests:
                continue
            await self._rest()
            if self.elapsed_s - told > _TOLD_S:
                told = self.elapsed_s
                self._tell(self._progress(seconds))
            if self.elapsed_s >= seconds and len(self.at_rest) >= RESTS_MIN:
                return

    async def look(self) -> None:
        """Turns the clock, and samples what is used meanwhile, until cancelled."""
        while True:
            self._place.keep_time()
            with suppress(psutil.NoSuchProcess):  # that is told by who works with it
                self.under_way.append(self._sample())
            await asyncio.sleep(_LOOK_S)

    async def check(self) -> list[str]:
        """What is wrong with what is stored, in a line each, when all that was abandoned had its time."""
        self._place.turn_on(_SILENT_S)
        async with self._clients.connect() as wire:
            deadline = time.monotonic() + _LEAVE_S
            while time.monotonic() < deadline:
                if not await wire.ask("getActiveRuns"):
                    break
                await asyncio.sleep(_STEADY_S)
        await self._commands.cleanup(random.Random(0), "")
        await self._commands.backup(random.Random(0), "")
        broken = self._ledger.compare(self._commands.backup_file)
        try:
            await self._place.semantest("rebuild", "--check")
        except CommandFailedError as error:
            broken.append(str(error))
        return broken

    async def empty(self) -> int:
        """The size of the database when all runs but the last are deleted, in bytes."""
        await self._place.semantest("cleanup", "--keep", "1", "--yes")
        return self._sample().database

    def _sample(self) -> Sample:
        return take_sample(self._place.pid, self._place.folder, self.elapsed_s, self._steps)

    def _progress(self, seconds: float) -> str:
        last = self.at_rest[-1]
        return (
            f"{last.at_s:.0f} of {seconds:.0f} s, {self._ledger.runs} runs, {self._ledger.events} events: "
            f"PSS {last.pss / 2**20:.1f} MiB, {last.descriptors} descriptors, {last.threads} threads, "
            f"log {last.wal / 2**20:.1f} MiB, database {last.database / 2**20:.1f} MiB"
        )

    async def _carry_out(self, step: Step) -> None:
        try:
            await self._works[step.action](random.Random(step.seed), f"soak-{step.number}")
            self.done[step.action] += 1
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the soak is there to find it
            self._ledger.broken.append(f"step {step.number}, {step.action}: {type(error).__name__}: {error}"[:500])
            self._tell(self._ledger.broken[-1])
        finally:
            self._room.release()

    async def _rest(self) -> None:
        """Everybody leaves, and what the recorder uses then is noted."""
        self._clients.resting.set()
        if self._tasks:
            _done, stay = await asyncio.wait(set(self._tasks), timeout=_LEAVE_S)
            self._ledger.broken += [f"{task.get_name()}: not over after {_LEAVE_S:g} s" for task in stay]
        deadline = time.monotonic() + _LEAVE_S
        before, now = None, None
        while before is None or before != now:
            left = _who_is_there(await asyncio.to_thread(self._place.status))
            sample = self._sample()
            before, now = now, None if left else (sample.descriptors, sample.threads)
            if time.monotonic() > deadline:
                self._ledger.broken.append(f"at step {self._steps} it did not come to rest: {left or 'it goes on'}")
                break
            await asyncio.sleep(_STEADY_S)
        self.at_rest.append(sample)
        self._clients.resting.clear()


def _who_is_there(status: Mapping[str, Any]) -> dict[str, Any]:
    """What is not at rest yet."""
    names = ("connections", "subscribers", "sourceCount", "pendingEvents", "storeError")
    there = {name: status[name] for name in names if status[name]}
    waiting = status["plugins"]["waitingNotices"]
    return there | ({"waitingNotices": waiting} if waiting else {})


def _works(clients: Clients, commands: Commands) -> Mapping[Action, Work]:
    return {
        "record run": clients.record_run,
        "record run again": clients.record_run_again,
        "abandon run": clients.abandon_run,
        "abandon worker": clients.abandon_worker,
        "client run": clients.client_run,
        "implicit run": clients.implicit_run,
        "word beside run": clients.word_beside_run,
        "watch": clients.watch,
        "flood": clients.flood,
        "questions": clients.questions,
        "replay": clients.replay,
        "attachment": clients.attachment,
        "strangers": clients.strangers,
        "token": commands.token,
        "policy": clients.policy,
        "commands": commands.commands,
        "pytest": commands.pytest,
        "cleanup": commands.cleanup,
        "backup": commands.backup,
    }

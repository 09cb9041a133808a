"""One campaign: many pytest runs against one recorder while things break, and what is stored in the end."""

from __future__ import annotations

import heapq
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.chaos import plan
from tests.chaos.faults import Clock, Disk, Faults, Mend
from tests.chaos.fleet import SYNC_S, Fleet
from tests.chaos.oracle import StoredRun, Verdict, judge, outcomes_by_place, read_notes, summed
from tests.chaos.proxy import Proxy

AT_ONCE = 3
#: A run that has not ended so long after everything was mended hangs.
_HANGS_S = 180.0
_STEP_S = 0.02

_ATTEMPTS = """
SELECT r.id, t.id, s.pid, a.outcome FROM attempts a
JOIN runs r USING (run_key) JOIN tests t USING (test_key) JOIN sources s USING (source_key)
ORDER BY r.id, t.id, s.pid, a.attempt
"""
_RUNS = """
SELECT r.id, r.state, r.gaps + ifnull(sum(s.dropped + s.gaps), 0) FROM runs r LEFT JOIN sources s USING (run_key)
GROUP BY r.id
"""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to. ``faults``: how many of each were carried out; ``impossible``: why some never were.

    ``seconds``: how long things broke; ``broken``: what is wrong besides attempts and runs, each in a line.
    """

    seed: int
    seconds: float
    faults: dict[str, int]
    impossible: dict[str, str]
    verdict: Verdict
    broken: list[str]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled or wrong."""
        return not self.verdict.problems and not self.broken


def run_campaign(folder: Path, seed: int, seconds: float, tell: Tell, faults: int | None = None) -> Outcome:
    """Breaks things for ``seconds``, or until so many ``faults`` were carried out; then mends all and compares.

    ``folder`` is new and kept. ``tell`` takes a line now and then.
    """
    with ExitStack() as stack:
        disk, clock = Disk(folder / ".semantest"), Clock(folder)
        stack.callback(disk.close)
        fleet = Fleet(folder, clock.environment)
        stack.callback(fleet.end)
        proxy = Proxy(fleet.port)
        stack.callback(proxy.close)
        campaign = _Campaign(fleet, Faults(fleet, proxy, disk, clock), proxy, tell)
        began = time.monotonic()
        campaign.break_things(seed, seconds, faults)
        lasted = time.monotonic() - began
        clock.turn(0.0)
        broken = campaign.mend_all()
        impossible: dict[str, str] = {str(fault): reason for fault, reason in campaign.faults.impossible.items()}
        verdict = _compare(fleet)
        return Outcome(
            seed,
            lasted,
            summed(campaign.done),
            impossible,
            verdict,
            broken,
        )


class _Campaign:
    def __init__(self, fleet: Fleet, faults: Faults, proxy: Proxy, tell: Tell) -> None:
        self.fleet = fleet
        self.faults = faults
        self.done: list[str] = []
        self._tell = tell
        self._mends: list[tuple[float, int, Mend]] = []
        token = fleet.semantest("token", "create", "--role", "ingest", "--name", "proxied", "--json")
        self._through = {
            "SEMANTEST_URL": f"http://127.0.0.1:{proxy.port}",
            "SEMANTEST_TOKEN": json.loads(token.stdout)["token"],
        }

    def break_things(self, seed: int, seconds: float, faults: int | None) -> None:
        """Keeps ``AT_ONCE`` runs going meanwhile."""
        runs, numbers = plan.runs(seed), count(1)
        end, told = time.monotonic() + seconds, 0.0
        for step in plan.steps(seed, self.faults.possible):
            due = time.monotonic() + step.pause_s
            while (now := time.monotonic()) < due:
                self.fleet.reap()
                if len(self.fleet.running) < AT_ONCE:
                    self.fleet.start(next(numbers), next(runs), self._through)
                self._mend(now)
                time.sleep(_STEP_S)
            mend = self.faults.carry_out(step)
            if mend is not None:
                self.done.append(step.fault)
                heapq.heappush(self._mends, (now + step.lasts_s, len(self.done), mend))
            if now - told > 5:
                told = now
                self._tell(f"{len(self.done)} faults, {len(self.fleet.exit_codes)} runs over; {end - now:.0f} s to go")
            if now >= end or (faults is not None and len(self.done) >= faults):
                return

    def mend_all(self) -> list[str]:
        """Lets everything come to its end; what did not."""
        self._mend(float("inf"))
        broken: list[str] = []
        deadline = time.monotonic() + _HANGS_S
        while self.fleet.running and time.monotonic() < deadline:
            self.fleet.reap()
            time.sleep(_STEP_S)
        broken += [f"{one.run_id} does not end, see {one.output}" for one in self.fleet.running]
        self._tell(f"all mended after {len(self.done)} faults; shipping what is left")
        synced = self.fleet.semantest("sync", "--here", "--timeout", f"{SYNC_S:g}")
        journals = (self.fleet.folder / "sessions").glob("*/*.journal")
        left = {path.parent.name for path in journals if path.stat().st_size}  # a full disk may have taken not one byte
        if left:
            broken.append(f"{len(left)} sessions cannot be shipped: {synced.stderr.strip()[-500:]}")
        copied = self.fleet.semantest("backup", str(self.fleet.copy))
        if copied.returncode:
            broken.append(f"backup: {copied.stderr.strip()[:500]}")
        checked = self.fleet.semantest("rebuild", "--check", "--json")
        if checked.returncode:
            broken.append(f"rebuild --check: {(checked.stdout + checked.stderr).strip()[:500]}")
        return broken

    def _mend(self, now: float) -> None:
        while self._mends and self._mends[0][0] <= now:
            heapq.heappop(self._mends)[2]()


def _compare(fleet: Fleet) -> Verdict:
    lines = fleet.oracle.read_text().splitlines() if fleet.oracle.exists() else []
    with closing(sqlite3.connect(f"file:{fleet.copy}?mode=ro", uri=True)) as database:
        stored = outcomes_by_place(database.execute(_ATTEMPTS).fetchall())
        runs = {run: StoredRun(state, bool(gaps)) for run, state, gaps in database.execute(_RUNS)}
    return judge(read_notes(lines), stored, runs, fleet.exit_codes, fleet.deaths)

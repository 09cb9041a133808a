"""One campaign: many pytest runs against one recorder while things break, and what is stored in the end."""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS, place_of
from tests.chaos import plan
from tests.chaos.faults import Disk, Faults, Mend
from tests.chaos.fleet import SYNC_S, Fleet
from tests.chaos.oracle import (
    StoredRun,
    Verdict,
    judge,
    judge_proofs,
    outcomes_by_place,
    read_notes,
    read_proofs,
)
from tests.chaos.plan import Fault
from tests.chaos.proxy import Proxy
from tests.wall_clock import WallClock

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

_ENDS = "SELECT payload FROM events WHERE type = 'test/end'"
_ATTACHMENTS = """
SELECT payload ->> 'sha256', r.id, payload ->> 'testId' FROM events
JOIN sources USING (source_key) JOIN runs r USING (run_key) WHERE type = 'test/attachment'
"""
_PROOF = re.compile(r"\b[0-9a-f]{32}\b")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to. ``faults``: how many of each were carried out; ``impossible``: why some never were.

    ``seconds``: how long things broke; ``broken``: what is wrong besides attempts and runs, each in a line.
    """

    seed: int
    seconds: float
    faults: dict[Fault, int]
    impossible: dict[Fault, str]
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
        disk, clock = Disk(folder / ".semantest"), WallClock(folder)
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
        counts = dict(Counter(campaign.done).most_common())
        return Outcome(seed, lasted, counts, campaign.faults.impossible, _compare(fleet), broken)


class _Campaign:
    def __init__(self, fleet: Fleet, faults: Faults, proxy: Proxy, tell: Tell) -> None:
        self.fleet = fleet
        self.faults = faults
        self.done: list[Fault] = []
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
        said = Counter(text for (payload,) in database.execute(_ENDS) for text in _PROOF.findall(payload))
        attachments = database.execute(_ATTACHMENTS).fetchall()
    attached = Counter(_intact(fleet.folder, sha256) for sha256, _, _ in attachments if sha256)
    omitted = {(run, test) for sha256, run, test in attachments if not sha256}
    verdict = judge(read_notes(lines), stored, runs, fleet.exit_codes, fleet.deaths)
    more = judge_proofs(read_proofs(lines), said, attached, omitted, runs, fleet.deaths)
    return replace(verdict, problems=sorted([*verdict.problems, *more]))


def _intact(folder: Path, sha256: str) -> str:
    """The text that was attached; none when it is not there as it was."""
    try:
        content = folder.joinpath(ARTIFACTS, *place_of(sha256)).read_bytes()
    except FileNotFoundError:
        return ""
    return content.decode() if hashlib.sha256(content).hexdigest() == sha256 else ""

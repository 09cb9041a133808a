"""A made-up suite through a hundred runs: which tests each run has, and what becomes of each of them (pure, seeded).

A test has a *slot* of the suite. What is in a slot may be replaced by another test (one is deleted, one is new), its
function renamed, or its file moved; its source stays the same when it is renamed or moved. Everything is decided by the
seed: two builds with the same numbers give the same history.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple
from zlib import crc32

#: Tests in one file.
IN_FILE = 50
#: Slots of a thousand that are of a kind; the rest is ordinary.
SHARES = {"flaky": 15, "skipped": 10, "xfailed": 5, "slower": 5, "step": 5, "replaced": 50, "renamed": 10}
_ERRORS = (
    ("AssertionError", "assert {got} == {want}", "assert total(basket) == Decimal('{want}')"),
    ("KeyError", "'shipping'", 'rate = rates["shipping"]'),
    ("shop.payment.GatewayTimeoutError", "no answer in 3 s for a charge of {want}.50", "gateway.charge(amount)"),
    ("ConnectionResetError", "[Errno 104] Connection reset by peer", "chunk = self.sock.recv(65536)"),
    ("ValueError", "invalid literal for int() with base 10: '{got}'", "number = int(text)"),
)


class Slot(NamedTuple):
    """A place in the suite: what stands there, and from which run on something else does."""

    kind: str
    base_ms: float
    rate: float  # of a flaky test: how often its first attempt fails
    changes_at: int  # run with which it is replaced, renamed, or becomes slower


class Failure(NamedTuple):
    """What a failed attempt says."""

    type: str
    message: str
    source: str  # the line that raised


class Fate(NamedTuple):
    """What becomes of a test in a run: the outcome of each attempt, and the error of those that failed."""

    outcomes: tuple[str, ...]
    duration_ms: float
    failure: Failure | None = None
    reason: str | None = None


class Regression(NamedTuple):
    """Slots that fail alike from a run on, until another run."""

    first_run: int
    end_run: int
    slots: range
    failure: Failure


class Suite:
    """The suite of ``tests`` slots through ``runs`` runs."""

    def __init__(self, runs: int, tests: int, seed: int) -> None:
        self.runs, self.seed = runs, seed
        random = Random(seed)
        self.slots = [self._slot(random) for _ in range(tests)]
        files = -(-tests // IN_FILE)
        #: File number to the run with which it moves to another folder.
        self.moves = {number: random.randrange(1, runs + 1) for number in random.sample(range(files), k=files // 40)}
        self.regressions = list(self._regressions(random, files))

    def test_id(self, slot: int, run: int) -> str:
        """The id that the test in a slot has in a run."""
        number, place = divmod(slot, IN_FILE)
        area = ("unit", "api", "shop", "billing", "search")[number % 5]
        folder = f"tests/{area}/moved" if run >= self.moves.get(number, self.runs + 1) else f"tests/{area}"
        name = self._name(slot, run)
        inside = f"TestGroup{place // 10}::" if place < 20 else ""
        parameter = f"[{('eu', 'us', 'jp')[slot % 3]}-{slot % 7}]" if place >= 40 else ""
        return f"{folder}/test_module_{number:04d}.py::{inside}{name}{parameter}"

    def fingerprint(self, slot: int, run: int) -> str:
        """The fingerprint of the test's function: another name or file does not change it."""
        found = self.slots[slot]
        version = "new" if found.kind == "replaced" and run >= found.changes_at else "first"
        return f"{crc32(f'{self.seed} {slot} {version}'.encode()):08x}-{40 + slot % 200:x}"

    def fates(self, run: int) -> Iterator[Fate]:
        """What becomes of each slot's test in a run, in the order of the slots."""
        random = Random(f"{self.seed} {run}")
        failing = {
            slot: regression.failure
            for regression in self.regressions
            if regression.first_run <= run < regression.end_run
            for slot in regression.slots
        }
        for number, slot in enumerate(self.slots):
            yield self._fate(slot, run, random, failing.get(number))

    def _slot(self, random: Random) -> Slot:
        dice, kind = random.randrange(1000), "ordinary"
        for name, share in SHARES.items():
            dice -= share
            if dice < 0:
                kind = name
                break
        return Slot(
            kind,
            min(round(random.lognormvariate(2.5, 1.2), 3), 30_000.0),
            round(random.uniform(0.02, 0.3), 3),
            random.randrange(1, max(self.runs, 2)),
        )

    def _regressions(self, random: Random, files: int) -> Iterator[Regression]:
        for run in range(1, self.runs):
            if random.random() < 0.15:
                yield self._regression(random, run, run + random.randrange(1, 9), files)
        for _ in range(3):  # some that nobody has mended up to now
            yield self._regression(random, max(self.runs - random.randrange(1, 12), 0), self.runs, files)

    def _regression(self, random: Random, first: int, end: int, files: int) -> Regression:
        start = random.randrange(files) * IN_FILE + random.randrange(IN_FILE // 2)
        slots = range(min(start, len(self.slots) - 1), min(start + random.randrange(1, 20), len(self.slots)))
        return Regression(first, end, slots, _failure(random))

    def _name(self, slot: int, run: int) -> str:
        found = self.slots[slot]
        if found.kind in ("replaced", "renamed") and run >= found.changes_at:
            return f"test_{'other' if found.kind == 'replaced' else 'renamed'}_case_{slot:05d}"
        return f"test_case_{slot:05d}"

    def _fate(self, slot: Slot, run: int, random: Random, failure: Failure | None) -> Fate:
        duration = slot.base_ms * (0.8 + 0.4 * random.random())
        if slot.kind == "slower":
            duration *= 1.02 ** max(run - slot.changes_at // 2, 0)
        elif slot.kind == "step" and run >= slot.changes_at:
            duration *= 3
        elif slot.kind == "skipped":
            return Fate(("skipped",), 0.2, None, "needs the staging server")
        elif slot.kind == "xfailed":
            return Fate(("xfailed",), duration, None, "not built yet")
        if failure is not None:
            return Fate(("failed", "failed"), duration, failure)
        if slot.kind == "flaky" and random.random() < slot.rate:
            return Fate(("failed", "passed"), duration, _failure(random))
        if random.random() < 0.00003:
            return Fate(("error", "error"), duration, _failure(random))
        return Fate(("passed",), duration)


def _failure(random: Random) -> Failure:
    kind, message, source = random.choice(_ERRORS)
    values = {"got": str(random.randrange(1000)), "want": str(random.randrange(1000))}
    return Failure(kind, message.format(**values), source.format(**values))

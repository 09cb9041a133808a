"""What a campaign does, from its seed. Pure: the same seed gives the same plan, however long it takes to carry out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tests.chaos.suite import GREEN, MIXED

Fault = Literal[
    "kill recorder",
    "stop recorder",
    "kill shipper",
    "stop shipper",
    "kill worker",
    "stop worker",
    "kill pytest",
    "stop pytest",
    "interrupt pytest",
    "cut connections",
    "freeze connections",
    "fill disk",
    "forbid writing",
    "forbid opening",
    "sync beside",
    "turn clock",
]
#: How often each comes, relative to the others. Those that end a run are rarer: most runs are to be hit in their midst.
WEIGHTS: dict[Fault, int] = {
    "kill recorder": 6,
    "stop recorder": 6,
    "kill shipper": 8,
    "stop shipper": 6,
    "kill worker": 5,
    "stop worker": 4,
    "kill pytest": 2,
    "stop pytest": 2,
    "interrupt pytest": 2,
    "cut connections": 6,
    "freeze connections": 4,
    "fill disk": 2,
    "forbid writing": 3,
    "forbid opening": 3,
    "sync beside": 3,
    "turn clock": 4,
}
#: What each is, for people.
MEANINGS: dict[Fault, str] = {
    "kill recorder": "SIGKILL of the recorder",
    "stop recorder": "SIGSTOP of the recorder, SIGCONT later",
    "kill shipper": "SIGKILL of a run's shipper",
    "stop shipper": "SIGSTOP of a run's shipper, SIGCONT later",
    "kill worker": "SIGKILL of an xdist worker in its test",
    "stop worker": "SIGSTOP of an xdist worker, SIGCONT later",
    "kill pytest": "SIGKILL of pytest itself",
    "stop pytest": "SIGSTOP of pytest itself, SIGCONT later",
    "interrupt pytest": "Ctrl-C",
    "cut connections": "all connections through a proxy reset",
    "freeze connections": "all connections through a proxy half open: nothing goes through",
    "fill disk": "the `.semantest` folder's file system full to the last byte",
    "forbid writing": "the recorder may write no file beyond 1 KiB (RLIMIT_FSIZE)",
    "forbid opening": "the recorder may open no descriptor more (RLIMIT_NOFILE)",
    "sync beside": "`semantest sync` by hand in the midst of it",
    "turn clock": "the wall clock of all processes set wrong, by up to 40 days",
}
#: Pause between two faults, seconds on average.
PAUSE_S = 0.35
_LONGEST_S = 2.5
_FARTHEST_S = 40 * 86_400.0


class Step(NamedTuple):
    """One fault: ``pause_s`` after the one before, lasting ``lasts_s``; ``pick`` in 0..1 chooses among victims.

    ``turn_s``: by how much the wall clock is wrong from then on.
    """

    pause_s: float
    fault: Fault
    lasts_s: float
    pick: float
    turn_s: float


class Run(NamedTuple):
    """One pytest: its suite, number of xdist workers, and whether it reaches the recorder through the proxy."""

    suite: str
    workers: int
    proxied: bool


def steps(seed: int, possible: Sequence[Fault]) -> Iterator[Step]:
    """Faults without end, of those that are possible here. Which one comes does not depend on what is possible."""
    rng = random.Random(seed)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        step = Step(
            rng.expovariate(1 / PAUSE_S),
            rng.choices(names, weights)[0],
            rng.uniform(0.05, _LONGEST_S),
            rng.random(),
            rng.choice((0.0, rng.uniform(-_FARTHEST_S, _FARTHEST_S), rng.uniform(-90.0, 90.0))),
        )
        if step.fault in possible:
            yield step


def runs(seed: int) -> Iterator[Run]:
    """Runs without end."""
    rng = random.Random(f"runs {seed}")
    while True:
        yield Run(rng.choice((MIXED, MIXED, GREEN)), rng.choice((0, 2, 2, 3)), rng.random() < 0.4)

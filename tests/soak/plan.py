"""What a soak does, from its seed. Pure: the same seed gives the same steps, however fast they are carried out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal, NamedTuple

Action = Literal[
    "record run",
    "record run again",
    "abandon run",
    "abandon worker",
    "client run",
    "implicit run",
    "word beside run",
    "watch",
    "flood",
    "questions",
    "replay",
    "attachment",
    "strangers",
    "token",
    "policy",
    "commands",
    "pytest",
    "cleanup",
    "backup",
]
#: How often each comes, relative to the others: mostly light clients, programs with a start-up of their own seldom.
WEIGHTS: dict[Action, float] = {
    "record run": 30,
    "record run again": 5,
    "abandon run": 2,
    "abandon worker": 1,
    "client run": 10,
    "implicit run": 3,
    "word beside run": 3,
    "watch": 8,
    "flood": 0.2,
    "questions": 12,
    "replay": 1,
    "attachment": 3,
    "strangers": 3,
    "token": 0.4,
    "policy": 1,
    "commands": 0.4,
    "pytest": 0.3,
    "cleanup": 0.6,
    "backup": 0.2,
}
#: Pause between two steps, seconds on average.
PAUSE_S = 0.1
#: After so many steps everybody leaves, and the recorder is looked at.
REST_EVERY = 100


class Step(NamedTuple):
    """``number`` counts from 1; ``seed`` decides what exactly the action does; ``pause_s`` after the step before."""

    number: int
    pause_s: float
    action: Action
    seed: int

    @property
    def rests(self) -> bool:
        """Whether the recorder comes to rest behind it."""
        return self.number % REST_EVERY == 0


def steps(seed: int) -> Iterator[Step]:
    """Steps without end."""
    rng = random.Random(seed)
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    number = 0
    while True:
        number += 1
        yield Step(number, rng.expovariate(1 / PAUSE_S), rng.choices(names, weights)[0], rng.getrandbits(32))

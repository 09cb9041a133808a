"""Whether what a recorder uses stays flat. Pure.

Samples at rest are compared, when everybody has left: then nothing but what is kept by mistake can make them grow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tests.soak.sampling import Sample

MIB = 1024 * 1024
#: Of the samples at rest so many are the warm-up: caches fill, retention begins to delete, threads are started.
WARM_UP = 1 / 3
#: Fewer samples behind the warm-up say nothing.
SAMPLES_MIN = 6
RESTS_MIN = 9
#: What memory may grow by behind the warm-up, in all. SQLite's cache (64 MiB) is full when a soak begins; other caches
#: of the recorder have at most some thousand entries, two MiB, and what a burst of output needed once (steps of six MiB
#: were seen) the C library keeps. A leak grows with the number of steps, this bound does not: the longer the soak, the
#: smaller the leaks it finds. In ten minutes some 1,200 runs with 90,000 events come behind the warm-up, so what keeps
#: 10 KiB of each run, or 140 bytes of each event, is found; in an hour a sixth of that.
MEMORY_GROWTH = 12 * MIB
#: Between the lowest and the highest at rest.
DESCRIPTORS_SPREAD = 3
THREADS_SPREAD = 1
#: The log may grow while somebody reads; SQLite cuts it back to this (``journal_size_limit``) when it begins it anew.
WAL_MAX = 64 * MIB
#: Of the database when all runs but the last are deleted: the schema, that run, and some 60 bytes for each source that
#: was deleted with its run.
EMPTY_DATABASE_MAX = 3 * MIB


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, and what it may be at most."""

    name: str
    found: float
    most: float
    unit: str

    @property
    def is_good(self) -> bool:
        """Whether it is within its bound."""
        return self.found <= self.most


def judge(at_rest: Sequence[Sample], under_way: Sequence[Sample], empty_database: int) -> list[Finding]:
    """What became of each resource; ``empty_database``: its size when all runs but one were deleted.

    Raises ``ValueError`` when the soak was too short to say.
    """
    warm = at_rest[round(len(at_rest) * WARM_UP) :]
    if len(warm) < SAMPLES_MIN:
        raise ValueError(f"{len(warm)} samples behind the warm-up say nothing, {SAMPLES_MIN} are needed: take longer")
    return [
        Finding("growth of memory (PSS)", growth(warm, lambda sample: sample.pss) / MIB, MEMORY_GROWTH / MIB, "MiB"),
        Finding("growth of memory (RSS)", growth(warm, lambda sample: sample.rss) / MIB, MEMORY_GROWTH / MIB, "MiB"),
        Finding("spread of descriptors", spread(warm, lambda sample: sample.descriptors), DESCRIPTORS_SPREAD, ""),
        Finding("spread of threads", spread(warm, lambda sample: sample.threads), THREADS_SPREAD, ""),
        Finding("largest log (WAL)", max(sample.wal for sample in (*at_rest, *under_way)) / MIB, WAL_MAX / MIB, "MiB"),
        Finding("database without its runs", empty_database / MIB, EMPTY_DATABASE_MAX / MIB, "MiB"),
    ]


def growth(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """By how much it grew from the first sample to the last: the median slope of all pairs (Theil and Sen).

    A few samples that are far off, such as one behind a large query, do not matter for it.
    """
    slopes = [
        (value(later) - value(earlier)) / (later.steps - earlier.steps) for earlier, later in combinations(samples, 2)
    ]
    return median(slopes) * (samples[-1].steps - samples[0].steps)


def spread(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """The highest less the lowest."""
    found = [value(sample) for sample in samples]
    return max(found) - min(found)

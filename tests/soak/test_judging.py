"""The judge of a soak finds what grows, and forgives what only moves; the ledger finds what is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tests.recorder.store.ingesting import begin, event, passed, recording
from tests.soak import plan
from tests.soak.judging import MIB, judge
from tests.soak.ledger import Ledger
from tests.soak.sampling import Sample

Change = Callable[[Sample, int], Sample]


def samples(change: Change) -> list[Sample]:
    """Thirty samples at rest, of a recorder that moves a little and keeps nothing but what ``change`` adds."""
    rng = random.Random(1)
    flat = Sample(0.0, 0, 150 * MIB, 140 * MIB, 24, 10, 4 * MIB, 60 * MIB)
    moved = [
        replace(
            flat,
            at_s=20.0 * number,
            steps=100 * number,
            rss=flat.rss + rng.randrange(-3 * MIB, 3 * MIB),
            pss=flat.pss + rng.randrange(-3 * MIB, 3 * MIB),
            descriptors=flat.descriptors + rng.randrange(2),
            database=flat.database + rng.randrange(-20 * MIB, 20 * MIB),
        )
        for number in range(30)
    ]
    return [change(sample, number) for number, sample in enumerate(moved)]


def too_much(at_rest: Sequence[Sample]) -> set[str]:
    return {finding.name for finding in judge(at_rest, at_rest, MIB) if not finding.is_good}


@pytest.mark.parametrize(
    "change",
    [
        lambda sample, _n: sample,
        lambda sample, n: replace(sample, pss=sample.pss + (n == 15) * 90 * MIB),
        lambda sample, n: replace(sample, rss=min(sample.rss, (90 + 8 * n) * MIB)),
    ],
    ids=["moves", "once", "warm-up"],
)
def test_what_only_moves_is_flat(change: Change) -> None:
    assert too_much(samples(change)) == set()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda sample, n: replace(sample, pss=sample.pss + n * MIB), "growth of memory (PSS)"),
        (lambda sample, n: replace(sample, rss=sample.rss + n * MIB), "growth of memory (RSS)"),
        (lambda sample, n: replace(sample, descriptors=sample.descriptors + n // 5), "spread of descriptors"),
        (lambda sample, n: replace(sample, threads=sample.threads + n // 5), "spread of threads"),
        (lambda sample, n: replace(sample, wal=65 * MIB if n == 3 else sample.wal), "largest log (WAL)"),
    ],
    ids=["pss", "rss", "descriptors", "threads", "wal"],
)
def test_what_grows_is_found(change: Change, found: str) -> None:
    assert too_much(samples(change)) == {found}


def test_a_database_that_cleanup_leaves_something_in_is_found() -> None:
    flat = samples(lambda sample, _n: sample)
    findings = judge(flat, flat, 5 * MIB)
    assert [finding.name for finding in findings if not finding.is_good] == ["database without its runs"]


def test_a_soak_that_was_too_short_says_so() -> None:
    with pytest.raises(ValueError, match="take longer"):
        judge(samples(lambda sample, _n: sample)[:8], [], 0)


def test_a_seed_gives_the_same_steps_again() -> None:
    first = list(islice(plan.steps(7), 5000))
    assert first == list(islice(plan.steps(7), 5000))
    assert first != list(islice(plan.steps(8), 5000))
    assert {step.action for step in first} == set(plan.WEIGHTS)
    assert sum(step.rests for step in first) == 5000 / plan.REST_EVERY


def test_the_ledger_finds_what_is_not_stored_as_it_was_acknowledged(tmp_path: Path) -> None:
    database = tmp_path / "semantest.db"
    with recording(database) as recorder:
        for run in ("good", "short", "back"):
            recorder.send(f"{run}.main", 1, [begin(run), *passed("a.py::t"), event("run/end", 9.0, exitCode=0)])
        recorder.send("open.main", 1, [begin("open")])
    ledger = Ledger(deleted={"gone", "back"})
    for run in ("good", "gone", "back"):
        ledger.note(run, ["passed"])
    ledger.note("short", ["passed", "passed"])
    ledger.note("lost", ["passed"])
    found = Counter(line.split()[0].rstrip(":") for line in ledger.compare(database))
    assert found == {"short": 1, "lost": 1, "back": 1, "open": 1}

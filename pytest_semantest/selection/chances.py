"""How likely a test is to fail, by its history. Pure; the formulas are in docs/design/selection.md."""

from __future__ import annotations

from pytest_semantest.protocol.snapshot import FAILED, FLAKY, SKIPPED
from pytest_semantest.selection.candidate import Candidate

#: Each verdict counts so much of the one after it.
DECAY = 0.8
#: What a test without any history would be given, and how many verdicts that counts for.
PRIOR, PRIOR_WEIGHT = 0.01, 1.0
#: At least that is the chance of a test which failed last, and of one that is new or whose own code changed.
FAILED_LAST, UNTRIED = 0.5, 0.3
_WEIGHT = {FAILED: 1.0, FLAKY: 0.5}


def chance(candidate: Candidate) -> float:
    """Between 0 and 1."""
    if candidate.known is None:
        return UNTRIED
    weight = failures = 0.0
    share = 1.0
    for verdict in candidate.known.verdicts:
        if verdict == SKIPPED:
            continue
        weight += share
        failures += share * _WEIGHT.get(verdict, 0.0)
        share *= DECAY
    found = (failures + PRIOR * PRIOR_WEIGHT) / (weight + PRIOR_WEIGHT)
    if candidate.failed_last:
        return max(found, FAILED_LAST)
    return max(found, UNTRIED) if candidate.is_changed else found

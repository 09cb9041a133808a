"""A short campaign, as ``make chaos`` runs long ones."""

from __future__ import annotations

import os
from pathlib import Path

from tests.chaos.campaign import run_campaign

FAULTS, SEED = 10, 20
PATIENCE_S = 120.0


def test_nothing_is_lost_doubled_or_wrong_when_everything_breaks(tmp_path: Path) -> None:
    told: list[str] = []
    outcome = run_campaign(tmp_path, SEED, PATIENCE_S, told.append, FAULTS)
    assert outcome.is_good, (outcome, told)
    assert sum(outcome.faults.values()) == FAULTS
    assert outcome.verdict.attempts
    if os.environ.get("CI") == "true":
        assert not outcome.impossible

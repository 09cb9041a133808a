"""Some minutes of a soak; the long form is `make soak`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.soak.campaign import run_soak
from tests.soak.page import as_json, page_section, text_lines


@pytest.mark.slow
@pytest.mark.hazard(28)
def test_nothing_grows_in_hours_of_a_team(tmp_path: Path) -> None:
    outcome = asyncio.run(run_soak(tmp_path, 3, 120.0, 2.4, print))
    told = "\n".join(text_lines(outcome))
    assert outcome.is_good, told
    assert as_json(outcome)["good"]
    assert all(finding.name in page_section(outcome) for finding in outcome.findings)

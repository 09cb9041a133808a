"""The short form of `make fuzz`, and all that it ever found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.choices import Choices, choices
from tests.fuzz.targets import TARGETS, findings

HAZARDS = {"decoder": 27, "journal": 15, "projection": 19, "redaction": 35, "session": 19}


@pytest.mark.hypothesis
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.hazard(HAZARDS[name]) if name in HAZARDS else ()) for name in TARGETS]
)
def test_nothing_breaks_it(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=target.examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(choices(target.size))
    def some(choose: Choices) -> None:
        target.check(choose)

    some()


@pytest.mark.parametrize("path", findings(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_broke_it_once_does_not_do_so_again(path: Path) -> None:
    TARGETS[path.parent.name].check(Choices(path.read_bytes()))

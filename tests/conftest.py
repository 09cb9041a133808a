"""What holds for every test."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

import pytest

_MEASURED = "COVERAGE_PROCESS_CONFIG"
#: Of so many tests the processes of one are measured: it takes longer than most of these processes themselves, and
#: they all run through the same code.
_SAMPLE = 6


@pytest.fixture(autouse=True)
def sample_coverage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a test starts are measured by coverage for some tests only, always the same ones."""
    if zlib.crc32(request.node.nodeid.encode()) % _SAMPLE:
        monkeypatch.delenv(_MEASURED, raising=False)


@pytest.fixture(autouse=True)
def examples_are_not_measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Examples of Hypothesis run through the same code again and again, of which other tests tell coverage."""
    coverage = sys.modules.get("coverage") if request.node.get_closest_marker("hypothesis") else None
    running = coverage.Coverage.current() if coverage else None
    if running is not None:
        running.stop()
    yield
    if running is not None:
        running.start()

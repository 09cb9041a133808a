"""What holds for every test."""

from __future__ import annotations

import zlib

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

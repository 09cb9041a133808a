"""What holds for every test."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

_MEASURED = "COVERAGE_PROCESS_CONFIG"
#: Of so many tests the processes of one are measured: it takes longer than most of these processes themselves, and
#: they all run through the same code.
_SAMPLE = 25
#: So many cases of a parametrized test are measured: with most parameters the others run through the same lines.
_CASES = 8


@pytest.fixture(autouse=True)
def sample_coverage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that a test starts are measured by coverage for some tests only, always the same ones."""
    if zlib.crc32(request.node.nodeid.encode()) % _SAMPLE:
        monkeypatch.delenv(_MEASURED, raising=False)


@pytest.fixture(autouse=True)
def certificates_are_not_read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recorder reads this machine's certificates as it starts, a sixth of what that costs, and needs none of them.

    What asks a package index does.
    """
    if request.node.get_closest_marker("index") is None:
        monkeypatch.setenv("SSL_CERT_FILE", os.devnull)


@pytest.fixture(autouse=True)
def repetitions_are_not_measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """What runs through the same code again and again tells coverage nothing new."""
    coverage = sys.modules.get("coverage") if _repeats(request.node) else None
    running = coverage.Coverage.current() if coverage else None
    if running is not None:
        running.stop()
    yield
    if running is not None:
        running.start()


@pytest.fixture(autouse=True)
def umask_stays() -> Iterator[None]:
    """A command that runs in this process and narrows its umask would fail tests that come later."""
    before = _umask()
    yield
    assert _umask() == before


def _umask() -> str:
    """As the kernel tells it, where it does: to ask by setting it would disturb other threads."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("Umask")), "")


def _repeats(item: pytest.Item) -> bool:
    """Examples of Hypothesis, and of a parametrized test all but its first cases."""
    case = getattr(item, "callspec", None)
    number = max(case.indices.values(), default=0) if case else 0
    return number >= _CASES or item.get_closest_marker("hypothesis") is not None

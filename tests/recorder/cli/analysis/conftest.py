"""A history of sixteen runs of one suite, recorded by the real writer, for all tests of the analyses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.recording import START, Recording

HOUR = 3_600_000.0
#: 2026-11-18 00:30 UTC.
BEGAN = START - 81 * HOUR
RUNS = 16
CROWD = [f"c.py::TestMany::test_n[{number}]" for number in range(10)]


def run_name(number: int) -> str:
    return f"20261118-{number:02d}0000-aaaaaa"


def _test(recording: Recording, test_id: str, *outcomes: str, ms: float = 5.0) -> None:
    for attempt, outcome in enumerate(outcomes, 1):
        phases = {"setup": ms / 5, "call": ms * 3 / 5, "teardown": ms / 5}
        again = attempt < len(outcomes)
        recording.test(test_id, outcome, attempt=attempt, duration=ms, phases=phases, willRetry=again)


def _context(recording: Recording, commit: str, branch: str, *, dirty: bool = False) -> None:
    recording.start("shipper")
    git = {"commit": commit, "branch": branch, "dirty": dirty}
    recording.add("shipper", "run/context", {"runId": recording.run_id, "git": git})


def _run(number: int) -> Recording:
    """Two runs of each commit; see the tests for what goes on in them."""
    recording = Recording(run_name(number), start_ms=BEGAN + number * HOUR)
    recording.start(pythonVersion="3.12.1", platform="linux")
    _context(recording, f"c0ffee{number // 2}", "main")
    _test(recording, "a.py::test_ok", "passed")
    _test(recording, "a.py::test_retried", *(("failed", "passed") if number in (3, 12) else ("passed",)))
    _test(recording, "a.py::test_turns", "failed" if number == 4 else "passed")
    _test(recording, "b.py::test_regressed", "failed" if number >= 8 else "passed")
    _test(recording, "b.py::test_slower", "passed", ms=20.0 if number < 8 else 80.0)
    for test_id in CROWD:
        _test(recording, test_id, "failed" if number == 10 else "passed", ms=1.0)
    if number >= 9:
        _test(recording, "a.py::test_new", "passed")
    recording.end(0)
    return recording


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``.semantest`` folder; the last of its runs is on a branch of its own, with changed files."""
    folder = tmp_path_factory.mktemp("history") / ".semantest"
    for number in range(RUNS):
        _run(number).store(folder)
    changed = Recording(run_name(RUNS), start_ms=BEGAN + RUNS * HOUR)
    changed.start(pythonVersion="3.12.1", platform="linux")
    _context(changed, "c0ffee7", "feature/fees", dirty=True)
    _test(changed, "a.py::test_ok", "failed")
    changed.end(1)
    changed.store(folder)
    return folder

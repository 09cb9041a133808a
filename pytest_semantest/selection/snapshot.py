"""The snapshot of earlier runs as selection reads it (``protocol/snapshot.py`` has its form). Pure."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, NamedTuple, TypeGuard

from pytest_semantest.protocol.snapshot import VERDICTS, VERSION


class Known(NamedTuple):
    """What is known of one test; milliseconds. ``verdicts``: newest first, letters of ``protocol/snapshot.py``."""

    duration_ms: float
    fixtures_ms: float | None
    verdicts: str
    fingerprint: str | None


class Snapshot(NamedTuple):
    """All tests by id. ``checksum`` is that of the file: the same on machines that select alike."""

    tests: dict[str, Known]
    runs: int
    until_ms: float
    checksum: str


def parse_snapshot(content: bytes) -> Snapshot:
    """The snapshot in a file. Raises ``ValueError``, which says what is wrong with it."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise ValueError(f"it is no snapshot of version {VERSION}")
    tests, runs, until = found.get("tests"), found.get("runs"), found.get("untilMs")
    if not isinstance(tests, dict) or not isinstance(runs, int) or not _is_time(until):
        raise ValueError("it is not complete")
    known = {test_id: _known(row) for test_id, row in tests.items()}
    return Snapshot(known, runs, float(until), sha256(content).hexdigest()[:16])


def _known(row: Any) -> Known:
    if not isinstance(row, list) or len(row) < 4:
        raise ValueError("a test in it has too few facts")
    duration, fixtures, verdicts, fingerprint = row[:4]
    if not _is_time(duration) or not isinstance(verdicts, str):
        raise ValueError("a test in it has no duration or no verdicts")
    return Known(
        float(duration),
        float(fixtures) if _is_time(fixtures) else None,
        verdicts[:VERDICTS],
        fingerprint if isinstance(fingerprint, str) else None,
    )


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15

"""Tests by a part of their ids."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.store.reader import Reader


def found_tests(database: Path, text: str, limit: int) -> list[str]:
    """Ids of at most ``limit`` tests that contain ``text``: the exact one first, then the shortest.

    Raises what ``Reader`` raises.
    """
    return Reader(database).find_tests(text, limit)

"""Databases that were damaged, and that the recorder set aside: the runs in them are in no report."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE


def set_aside_databases(folder: Path) -> list[str]:
    """The names of these files in a ``.semantest`` folder, the oldest first."""
    found = folder.glob(f"{DATABASE}.corrupt-*")
    return sorted(path.name for path in found if not path.name.endswith(("-wal", "-shm")))

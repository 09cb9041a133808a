"""Which ``.semantest`` folder a command means."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE, DIRECTORY, DISCOVERY, SESSIONS, find_directory


def semantest_folder(directory: str | None, here: Path) -> Path | None:
    """The folder named, else the nearest one in ``here`` and its parents, else ``None``; it need not be there.

    For a folder that holds nothing recorded but a ``.semantest`` folder, that one: people name their project, too.
    """
    folder = find_directory(directory, here)
    if folder is None or any((folder / name).exists() for name in (DATABASE, SESSIONS, DISCOVERY)):
        return folder
    inner = folder / DIRECTORY
    return inner if inner.is_dir() else folder

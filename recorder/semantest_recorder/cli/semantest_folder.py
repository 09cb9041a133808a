"""Which ``.semantest`` folder a command means."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE, DIRECTORY, DISCOVERY, SESSIONS, find_directory
from semantest_recorder.cli.configured import configured_directory


def semantest_folder(directory: str | None, here: Path) -> Path | None:
    """The folder named, else that of the configuration, else the nearest in ``here`` and its parents, else ``None``.

    It need not be there. For a folder that holds nothing recorded but a ``.semantest`` folder, that one: people name
    their project, too. Raises ``Stop`` when no folder is named and the configuration cannot be used.
    """
    named = None if directory else configured_directory(here)
    folder = named or find_directory(directory, here)
    if folder is None:
        return None
    inner = folder / DIRECTORY
    try:
        return inner if inner.is_dir() and not _holds_records(folder) else folder
    except OSError:  # not ours to look into: whoever reads from it says so
        return folder


def _holds_records(folder: Path) -> bool:
    return any((folder / name).exists() for name in (DATABASE, SESSIONS, DISCOVERY))

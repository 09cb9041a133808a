"""Which quarantine file the commands mean, and what is in it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.effective import named, resolve_key
from pytest_semantest.protocol.quarantine import QUARANTINE_FILE, Entry, read_quarantine
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import is_findable
from semantest_recorder.cli.configured import checked_configuration
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.pytest_ini import read_pytest_ini
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_NOTHING, EXIT_USAGE, Stop

_LISTED = 20


def today() -> date:
    """In UTC, as pytest has it: a list means the same on every machine."""
    return datetime.now(UTC).date()


def quarantine_path(file: str | None, directory: str | None) -> Path:
    """The file that was named, else that of the settings, else the nearest one upwards; it need not be there.

    Raises ``Stop`` when the settings are wrong.
    """
    here = working_directory(directory)
    if file is not None:
        return here / file
    setting, folder = _setting("quarantine-file", here)
    if setting:
        return folder / str(setting)
    for place in (here, *here.parents):
        path = place / QUARANTINE_FILE
        if path.exists() and is_findable(str(path), str(here)):
            return path
    recorded = semantest_folder(directory, here)
    return (recorded.parent if recorded is not None else here) / QUARANTINE_FILE


def most_days(directory: str | None) -> int:
    """How many days ahead an entry may expire. Raises ``Stop`` when the settings are wrong."""
    return int(_setting("quarantine-days", working_directory(directory))[0])


def _setting(path: str, here: Path) -> tuple[Any, Path]:
    """A value, and the folder that it is relative to."""
    found = checked_configuration(here)
    ini = read_pytest_ini(Path(found.folder))
    try:
        setting = resolve_key(named(path), os.environ, found, ini.get(path)).setting
    except ValueError as error:
        raise Stop(str(error), EXIT_USAGE) from None
    return setting.value, here if setting.kind == "environment" else Path(found.folder)


def read_file(path: Path) -> tuple[bytes, list[Entry], list[str]]:
    """Its bytes, entries and problems. Raises ``Stop`` when it is not there or cannot be read."""
    try:
        data = read_small_file(path)[0]
    except FileNotFoundError:
        raise Stop(
            f"there is no {path}: `semantest quarantine add` begins one, --file names another", EXIT_NOTHING
        ) from None
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}") from None
    found = read_quarantine(path.name, data)
    return data, list(found.entries), list(found.problems)


def checked_entries(path: Path) -> tuple[bytes, list[Entry]]:
    """Its bytes and entries. Raises ``Stop`` also when something is wrong in it."""
    data, entries, problems = read_file(path)
    if problems:
        raise Stop("\n".join([*problems[:_LISTED], *(["..."] if len(problems) > _LISTED else [])]), EXIT_USAGE)
    return data, entries

"""Where the configuration files lie, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pytest_semantest.protocol.configuration import Configuration, read_configuration
from pytest_semantest.protocol.keys import OWN_FILE, PYPROJECT, may_hold_settings
from pytest_semantest.protocol.layout import DIRECTORY
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import is_findable, refuse_found

_VERSIONED = (".git", ".hg", ".svn", ".jj")


def load_configuration(folder: str, names: tuple[str, ...] = (OWN_FILE, PYPROJECT)) -> Configuration:
    """What the files of ``folder`` say; what is wrong with them is in its ``problems``."""
    files, problems = {}, []
    for name in names:
        try:
            data = _read(os.path.join(folder, name))
        except OSError as error:
            if name == OWN_FILE:  # the other is everybody's: whoever needs it says so
                problems.append(f"{name}: it cannot be read: {error.strerror}")
            continue
        if data is not None and (name == OWN_FILE or may_hold_settings(data)):
            files[name] = data
    found = read_configuration(folder, files)
    problems += found.problems
    if "token" in found.settings and _is_versioned(folder):
        place = found.settings["token"][0].place
        problems.append(
            f"{place}: token must not stand in a file under version control; "
            "use the variable SEMANTEST_TOKEN, or token-file with a file outside of it"
        )
    return found._replace(problems=tuple(problems))


def find_configuration(start: str) -> Configuration | None:
    """That of the nearest folder from ``start`` upwards that has one, ``None`` when none has.

    Files that somebody else put there are passed over: anybody can write to a folder such as ``/tmp`` (trust.py).
    """
    start = os.path.abspath(start)
    for folder in _upwards(start):
        names = tuple(name for name in (OWN_FILE, PYPROJECT) if is_findable(os.path.join(folder, name), start))
        found = load_configuration(folder, names)
        if found.files or found.problems:
            return found
    return None


def passed_over(start: str) -> list[str]:
    """What lies from ``start`` upwards and is not used, because it is somebody else's; a line each."""
    start = os.path.abspath(start)
    lines = []
    for folder in _upwards(start):
        for name in (OWN_FILE, PYPROJECT, DIRECTORY):
            path = os.path.join(folder, name)
            why = refuse_found(path, start) if name != PYPROJECT or _speaks_of_us(path) else None
            if why is not None:
                lines.append(f"{path} is not used: {why}, and not to you or to the owner of {start}")
    return lines


def _upwards(folder: str) -> Iterator[str]:
    """The folder and those above it."""
    yield folder
    above = os.path.dirname(folder)
    while above != folder:
        yield above
        folder, above = above, os.path.dirname(above)


def _speaks_of_us(path: str) -> bool:
    try:
        return may_hold_settings(_read(path) or b"")
    except OSError:
        return False


def _read(path: str) -> bytes | None:
    """The file's bytes, ``None`` when there is none."""
    try:
        return read_small_file(path)[0]
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_versioned(folder: str) -> bool:
    """Whether the folder lies in a work tree."""
    return any(os.path.lexists(os.path.join(one, name)) for one in _upwards(folder) for name in _VERSIONED)

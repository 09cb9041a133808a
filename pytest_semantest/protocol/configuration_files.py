"""Where the configuration files lie, and what is in them."""

from __future__ import annotations

import os

from pytest_semantest.protocol.configuration import Configuration, read_configuration
from pytest_semantest.protocol.keys import OWN_FILE, PYPROJECT, may_hold_settings

_VERSIONED = (".git", ".hg", ".svn", ".jj")


def load_configuration(folder: str) -> Configuration:
    """What the files of ``folder`` say; what is wrong with them is in its ``problems``."""
    files, problems = {}, []
    for name in (OWN_FILE, PYPROJECT):
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
    """That of the nearest folder from ``start`` upwards that has one, ``None`` when none has."""
    folder = os.path.abspath(start)
    while True:
        found = load_configuration(folder)
        if found.files or found.problems:
            return found
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _read(path: str) -> bytes | None:
    """The file's bytes, ``None`` when there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_versioned(folder: str) -> bool:
    """Whether the folder lies in a work tree."""
    while True:
        if any(os.path.lexists(os.path.join(folder, name)) for name in _VERSIONED):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above

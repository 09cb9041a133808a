"""Semantest's options, and whether to record at all: with ``plugin.py`` all that an inactive plugin costs."""

from __future__ import annotations

from os import environ
from os.path import exists, join
from typing import TYPE_CHECKING

import pytest

from pytest_semantest.protocol.keys import FALSE, OWN_FILE, PYPROJECT, RECORDING, SELECTION, TRUE, may_hold_settings

if TYPE_CHECKING:
    from typing import Literal

    from pytest_semantest.protocol.configuration import Configuration


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option and its ini key."""
    group = parser.getgroup("semantest", "Semantest, the flight recorder")
    for key in RECORDING:
        text = f"{key.help} (ini: {key.ini}, env: {key.variable})"
        if key.kind == "flag":
            group.addoption(key.flag, action="store_true", default=None, dest=key.ini, help=text)
            parser.addini(key.ini, text, type="bool", default=None)
        else:
            action = "append" if key.is_list else "store"
            group.addoption(key.flag, action=action, default=None, dest=key.ini, metavar=key.metavar, help=text)
            ini: Literal["linelist", "string"] = "linelist" if key.is_list else "string"
            parser.addini(key.ini, text, type=ini, default=None)
    group.addoption(
        "--no-semantest",
        action="store_const",
        const=False,
        dest="semantest",
        help="Do not record, whatever files and environment say.",
    )


_RUNS_NOTHING = ("collectonly", "showfixtures", "show_fixtures_per_test", "cacheshow", "setupplan")


def _ini_flag(config: pytest.Config) -> bool:
    try:
        return bool(config.getini("semantest"))
    except (ValueError, pytest.UsageError):
        return False  # no truth value: pytest's own message would end the session


def is_nested(config: pytest.Config) -> bool:
    """Whether this is a pytest inside a test: it records only when its own command line or files say so."""
    return "PYTEST_CURRENT_TEST" in environ and not hasattr(config, "workerinput")


def may_have_files(config: pytest.Config) -> bool:
    """Whether a configuration file in the rootdir is worth reading: what every start of pytest pays for."""
    if config.option.semantest is False:
        return False
    folder = str(config.rootpath)
    if exists(join(folder, OWN_FILE)):
        return True
    try:
        with open(join(folder, PYPROJECT), "rb") as file:
            return may_hold_settings(file.read())
    except OSError:
        return False


def is_wanted(config: pytest.Config, files: Configuration | None) -> bool:
    """Whether this session is to be recorded: command line before environment before files before ini file."""
    wanted = config.option.semantest
    if wanted is None:
        told = "" if is_nested(config) else environ.get("SEMANTEST", "").strip().lower()
        wanted = told in TRUE or (told not in FALSE[1:] and _file_flag(config, files))
    return bool(wanted) and not _runs_nothing(config)


#: The key in ``workerinput`` and ``workeroutput`` under which xdist's processes speak of selection.
SELECTION_INPUT = "semantest_selection"
_SELECTING = tuple(key for key in RECORDING if key.path in SELECTION)
#: What else selection goes by: where the snapshot of earlier runs is.
_HEEDED = (*SELECTION, "url", "token", "token-file", "dir")


def is_selecting(config: pytest.Config, files: Configuration | None) -> bool:
    """Whether tests are to be chosen or ordered: with a recording or without one.

    ``--no-semantest`` leaves what the command line itself says.
    """
    if hasattr(config, "workerinput"):
        return SELECTION_INPUT in config.workerinput
    if any(getattr(config.option, key.ini) is not None for key in _SELECTING):
        return True
    if config.option.semantest is False:
        return False
    told = {} if is_nested(config) else environ
    return any(
        told.get(key.variable, "").strip()
        or (files is not None and files.get(key.path) is not None)
        or config.getini(key.ini)
        for key in _SELECTING
    )


def _file_flag(config: pytest.Config, files: Configuration | None) -> bool:
    setting = files.get("enabled") if files is not None else None
    return bool(setting.value) if setting is not None else _ini_flag(config)


def _runs_nothing(config: pytest.Config) -> bool:
    return any(getattr(config.option, name, None) for name in _RUNS_NOTHING)


def unheeded(config: pytest.Config, files: Configuration | None, *, selecting: bool) -> str:
    """What was given and has no effect, as a line for the user; empty in the usual case."""
    told = "" if is_nested(config) else environ.get("SEMANTEST", "")
    if config.option.semantest is None and told.strip().lower() not in TRUE + FALSE:
        return f"SEMANTEST: {told!r} is neither true nor false; using the default"
    if config.option.semantest is False or is_wanted(config, files):
        return ""
    if _runs_nothing(config) or any(getattr(config.option, name, None) for name in ("help", "version")):
        return ""
    heeded = _HEEDED if selecting else ()
    given = [key.flag for key in RECORDING if getattr(config.option, key.ini) is not None and key.path not in heeded]
    return f"{', '.join(given)}: without effect, since nothing is recorded without --semantest" if given else ""

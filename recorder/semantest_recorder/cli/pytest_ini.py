"""What pytest's own ini file says of us, read without pytest: for showing where a value comes from."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.configuration import Setting
from pytest_semantest.protocol.key_values import value_of_text
from pytest_semantest.protocol.keys import RECORDING, Key

#: In pytest's order. The first that is there counts, whether it says something of us or not; a section is needed
#: where the file is not pytest's alone.
_TOML = ("pytest.toml", ".pytest.toml")
_INI = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"))
_PYPROJECT = (("tool", "pytest"), ("tool", "pytest", "ini_options"))
_SHARED_INI = (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))


def read_pytest_ini(folder: Path) -> dict[str, Setting]:
    """The settings of pytest's ini file in ``folder``, by dotted name; what pytest itself would refuse is left out."""
    for name in _TOML:
        if (folder / name).is_file():
            return _of_table(_table(folder / name, ("pytest",)), name)
    for name, section in _INI:
        if (folder / name).is_file():
            return _of_table(_section(folder / name, section), name)
    for path in _PYPROJECT:
        table = _table(folder / "pyproject.toml", path)
        if any(key != "ini_options" for key in table):
            return _of_table(table, f"pyproject.toml [{'.'.join(path)}]")
    for name, section in _SHARED_INI:
        table = _section(folder / name, section)
        if table:
            return _of_table(table, f"{name} [{section}]")
    return {}


def _table(file: Path, path: tuple[str, ...]) -> Mapping[str, Any]:
    try:
        found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    for name in path:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _section(file: Path, section: str) -> Mapping[str, Any]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
        return {name: value or "" for name, value in parser[section].items()}
    except (OSError, ValueError, KeyError, configparser.Error):
        return {}


def _of_table(table: Mapping[str, Any], place: str) -> dict[str, Setting]:
    found = {}
    for key in RECORDING:
        if key.ini in table:
            try:
                found[key.path] = Setting(_value(key, table[key.ini]), "ini", place)
            except ValueError:
                continue  # pytest's plugin says so and takes the default
    return found


def _value(key: Key, value: Any) -> Any:
    """As a file of ours would hold it. Raises ``ValueError``."""
    if isinstance(value, list):
        value = "\n".join(str(one) for one in value)
    return value_of_text(key, str(value).strip())

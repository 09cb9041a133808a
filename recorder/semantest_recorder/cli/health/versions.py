"""Which versions are at work."""

from __future__ import annotations

import platform
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version

from semantest_recorder.cli.health.check import Check

_REQUIRED = ("pytest-semantest", "pytest", "pytest-xdist", "pytest-rerunfailures", "aiohttp", "msgspec", "psutil")
#: Below this, SQLite can lose pages of the WAL when several connections write and checkpoint.
_WAL_RESET_FIXED = (3, 51, 3)


def version_checks() -> list[Check]:
    """Python, SQLite and the packages that recording needs."""
    return [_python(), _sqlite(), _packages()]


def _python() -> Check:
    words = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return Check("python", "ok", words, data={"version": platform.python_version(), "executable": sys.executable})


def _sqlite() -> Check:
    found = sqlite3.sqlite_version
    note = ""
    if sqlite3.sqlite_version_info < _WAL_RESET_FIXED:
        note = " (has the WAL-reset bug of versions before 3.51.3; harmless here: one connection writes)"
    return Check("sqlite", "ok", f"SQLite {found}{note}", data={"version": found})


def _packages() -> Check:
    found: dict[str, str] = {}
    missing = []
    for package in _REQUIRED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    words = ", ".join(f"{package} {number}" for package, number in found.items())
    if missing:
        return Check(
            "packages",
            "fail",
            f"{words}; missing: {', '.join(missing)}",
            "Reinstall with `pip install --force-reinstall pytest-semantest`.",
            dict(found),
        )
    return Check("packages", "ok", words, data=dict(found))

"""Everything that the store raises, one line each that says what to do."""

# ruff: noqa: N818 - the names say what is wrong; "Error" behind each would say nothing more

from __future__ import annotations

import errno
import os
from pathlib import Path


class StoreError(Exception):
    """Base of every error of the store; its text is one line for the user."""


class NoDatabase(StoreError):
    """There is no database at the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no database at {path}: record a run first with `pytest --semantest`")
        self.path = path


class DatabaseTooNew(StoreError):
    """A later version of the recorder wrote the database."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema version {found}, this recorder knows versions up to {known}: "
            "upgrade pytest-semantest, or name another database; the file was not touched"
        )
        self.path, self.found, self.known = path, found, known


class DatabaseTooOld(StoreError):
    """The database has not been migrated yet; readers never write."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema version {found}, this reader needs version {known}: "
            "start the recorder once (`semantest-recorder start`), it migrates the file"
        )
        self.path, self.found, self.known = path, found, known


class NotOurs(StoreError):
    """The file is an SQLite database of another program."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is an SQLite database of another program: name another path; the file was not touched"
        )
        self.path = path


class NotADatabase(StoreError):
    """The path names a file that is no SQLite database, or no file at all."""

    def __init__(self, path: Path | str, what: str) -> None:
        super().__init__(f"{str(path)!r} {what}: name another path; nothing was touched")
        self.path = path


class CannotOpen(StoreError):
    """The database cannot be opened or created."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot open {path}: {reason}; {advice_for(reason)}")
        self.path = path


class Damaged(StoreError):
    """A database has pages that cannot be relied on."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} is damaged: {problem}; use another backup")
        self.path = path


class InUse(StoreError):
    """Somebody else has the database open; ``holder`` is the pid, if it is known."""

    def __init__(self, path: Path, holder: int | None = None) -> None:
        who = "another program" if holder is None else f"another program (pid {holder})"
        text = f"{who} has {path} open: end it and try again"
        if holder == os.getpid():
            text = f"this program (pid {holder}) has {path} open already: close the first, or name another file"
        super().__init__(f"{text}; nothing was changed")
        self.path, self.holder = path, holder


class RunNotFound(StoreError):
    """No run has this name; ``nearest`` are similar ones."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        hint = f"did you mean {', '.join(nearest)}?" if nearest else "list them with `semantest runs`"
        super().__init__(f"no run {name!r}: {hint}" if name != "last" else "no run was recorded yet")
        self.name, self.nearest = name, nearest


class AmbiguousRun(StoreError):
    """Several runs start with this name."""

    def __init__(self, name: str, matches: list[str]) -> None:
        shown = ", ".join(matches[:5]) + (", ..." if len(matches) > 5 else "")
        super().__init__(f"{name!r} is the start of {len(matches)} runs ({shown}): give more of it")
        self.name, self.matches = name, matches


class BranchNotFound(StoreError):
    """No run of a branch, or (``known``) none that went through its tests; ``nearest`` are similar names."""

    def __init__(self, name: str, nearest: list[str], *, known: bool) -> None:
        hint = f"did you mean {', '.join(nearest)}?" if nearest else "`semantest runs` shows branches"
        none = f"no run of branch {name!r} to compare with went through its tests: name a run"
        super().__init__(none if known else f"no run of branch {name!r}: {hint}")
        self.name, self.nearest, self.known = name, nearest, known


def advice_for(reason: str) -> str:
    """What to do when SQLite or the file system gives ``reason`` for a database that cannot be used."""
    if any(words in reason for words in ("not a database", "malformed", "corrupt")):
        return "`semantest-recorder start` sets the damaged file aside, what can be saved of it is up to SQLite's tools"
    if any(words in reason for words in ("locked", "busy")):
        return "another program holds it: end that one, or try again when it is done"
    if any(words in reason for words in ("disk is full", os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))):
        return "make room on its disk"
    return "check that its folder exists and may be written"

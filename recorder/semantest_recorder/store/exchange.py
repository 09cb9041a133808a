"""Puts another database in the place of the present one, which is kept beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from semantest_recorder.store.errors import InUse
from semantest_recorder.store.opening import MAGIC, is_corruption
from semantest_recorder.store.regular import refuse_foreign_journal

#: What the drafts of other databases are called behind the name of the present one.
REBUILDING, RESTORING = ".rebuilding", ".restoring"


def remove_draft(draft: Path) -> None:
    """Removes a draft and what belongs to it. Raises ``OSError``."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def remove_drafts(database: Path) -> None:
    """Removes what a rebuild or restore has left that was killed. The caller holds the recorder's lock."""
    for name in (REBUILDING, RESTORING):
        with suppress(OSError):
            remove_draft(database.with_name(database.name + name))


def exchange(new: Path, path: Path, why: str, now_ms: float) -> Path | None:
    """Renames ``new`` to ``path``; where the present file is kept, ``None`` when there was none.

    There is a whole database at ``path`` at any time, also when this process is killed. The kept one is called
    ``<name>.before-<why>-<time>`` and is one file. The caller holds the recorder's lock, and ``new`` is closed.
    Raises ``InUse``, ``sqlite3.Error`` or ``OSError``; the present database is in its place then.
    """
    synchronise(new)
    kept = None
    if path.exists():
        is_one_file = _make_one_file(path)
        _drop_other_names(path)
        kept = _free_name(path, why, now_ms)
        _link(path, kept)
        if not is_one_file:
            _move_companions(path, kept)
    new.replace(path)
    synchronise(path.parent)
    return kept


def _make_one_file(path: Path) -> bool:
    """Brings all commits into the file itself: another database at its path must never meet its log.

    ``False`` for a file that is too damaged for it. Raises ``InUse``.
    """
    with path.open("rb") as file:
        if not MAGIC.startswith(file.read(len(MAGIC))):  # SQLite would remove its log
            return False
    refuse_foreign_journal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 2000")
        try:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise InUse(path) from None
            if is_corruption(error):
                return False
            raise
    if mode != "delete":
        raise InUse(path)
    return True


def _move_companions(path: Path, kept: Path) -> None:
    for suffix in ("-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))


def _drop_other_names(path: Path) -> None:
    """Removes names of the present file that an exchange gave it which was killed before it was done."""
    for name in path.parent.glob(f"{path.name}.before-*"):
        if not name.is_symlink() and name.samefile(path):
            name.unlink()


def _free_name(path: Path, why: str, now_ms: float) -> Path:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    number, name = 1, path.with_name(f"{path.name}.before-{why}-{stamp}")
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.before-{why}-{stamp}-{number}")
    return name


def _link(path: Path, kept: Path) -> None:
    """A second name for the file; where file systems know none, its only one."""
    try:
        kept.hardlink_to(path)
    except OSError:
        path.rename(kept)


def synchronise(path: Path) -> None:
    """Brings a file, or what a folder says of its names, to the disk. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Copies of the database, each whole: made while a recorder writes, and checked before one is used."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import stat
import time
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from pytest_semantest.protocol.liveness import process_exists
from semantest_recorder.store.errors import CannotOpen, Damaged, DatabaseTooNew, NotOurs
from semantest_recorder.store.exchange import synchronise
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.read_only import connect_read_only, open_read_only
from semantest_recorder.store.regular import require_database_file, require_regular
from semantest_recorder.store.schema import APPLICATION_ID, SCHEMA_VERSION

_COPY = "VACUUM INTO ?"
#: Name, process and, but for older ones, random digits of a backup that is being written.
_DRAFT = re.compile(r"\..+\.(\d{1,10})(?:\.[0-9a-f]{16})?\.partial", re.ASCII)
#: A draft that nobody has written to for this long, and whose process is gone, is a leftover.
_STALE_S = 600.0


class Contents(msgspec.Struct):
    """What is in a database: its schema version when it was looked at, and how much it holds."""

    version: int
    runs: int
    events: int
    bytes: int


def back_up(database: Path, target: Path, *, overwrite: bool) -> Contents:
    """Writes the state of ``database`` at this moment to ``target``, one file, checked, readable by its owner only.

    A recorder may go on writing. Raises ``FileExistsError`` for a ``target`` that is there unless ``overwrite``,
    ``OSError``, also for one that is no file, such as a device, and what ``Reader`` raises for ``database``. What was
    at ``target`` stays as it was then.
    """
    if target.exists() and not overwrite:
        raise FileExistsError(target)
    if target.exists():
        require_regular(target)
    connect_read_only(database).close()
    _sweep_drafts(target.parent)
    draft = _draft(target)
    try:
        _copy(database, draft)
        contents = inspect(draft)
        _publish(draft, target, overwrite)
        return contents
    finally:
        draft.unlink(missing_ok=True)


def prepare(backup: Path, target: Path) -> Contents:
    """Writes a database of this version to ``target`` out of ``backup``, which is left as it is; what was in it.

    What was at ``target`` is gone. Raises ``NoDatabase``, ``NotOurs``, ``DatabaseTooNew``, ``CannotOpen`` or
    ``Damaged``.
    """
    target.unlink(missing_ok=True)
    contents = inspect(backup)
    _copy(backup, target)
    connection, _notices = open_for_writing(target, lambda: 0.0)
    with closing(connection):
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    return contents


def inspect(path: Path) -> Contents:
    """Reads every page of a database of ours of any version that this one can migrate.

    Raises ``NoDatabase``, ``NotOurs``, ``DatabaseTooNew``, ``CannotOpen`` or ``Damaged``.
    """
    require_database_file(path)
    try:
        with closing(open_read_only(path)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version < 1:
                raise NotOurs(path)
            if version > SCHEMA_VERSION:
                raise DatabaseTooNew(path, version, SCHEMA_VERSION)
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise Damaged(path, str(found).replace("\n", " "))
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
            events = connection.execute("SELECT ifnull(sum(last_seq - first_seq + 1), 0) FROM batches").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise Damaged(path, str(error)) from None
        raise CannotOpen(path, str(error)) from None
    return Contents(version, runs, events, path.stat().st_size)


def _copy(source: Path, target: Path) -> None:
    """One consistent state of ``source`` as one file, synchronised. Raises ``OSError`` or ``CannotOpen``."""
    # One of our own, and new: what somebody else put there would be written through, or kept open to others.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        with closing(open_read_only(source)) as connection:
            connection.execute(_COPY, (str(target),))
        with target.open("rb+") as file:
            os.fsync(file.fileno())
    except sqlite3.Error as error:
        with suppress(OSError):
            target.unlink()
        raise CannotOpen(target, f"the copy of {source.name} could not be written: {error}") from None


def _publish(draft: Path, target: Path, overwrite: bool) -> None:
    try:
        if overwrite:
            draft.replace(target)
        else:
            target.hardlink_to(draft)  # unlike a rename it takes nothing's place
    except FileExistsError:
        raise
    except OSError:
        if overwrite:
            raise
        draft.replace(target)  # a file system without hard links
    synchronise(target.parent)


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(8)}.partial")


def _sweep_drafts(folder: Path) -> None:
    """Removes what backups that were killed have left in the folder; not what another machine may be writing there."""
    for path in folder.glob(".*.partial"):
        name = _DRAFT.fullmatch(path.name)
        with suppress(OSError):
            found = path.lstat()
            is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
            if name and is_ours and time.time() - found.st_mtime > _STALE_S and not process_exists(int(name[1])):
                path.unlink()

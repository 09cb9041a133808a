"""Opens the database to write: creates it, migrates it, refuses what is not ours, sets aside what is corrupt."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen, DatabaseTooNew, NotADatabase, NotOurs
from semantest_recorder.store.log_size import limit_log
from semantest_recorder.store.regular import refuse_foreign_journal, require_regular
from semantest_recorder.store.schema import APPLICATION_ID, SCHEMA_VERSION, creation_script, migration_script

_log = logging.getLogger(__name__)
#: How every SQLite database begins.
MAGIC = b"SQLite format 3\0"
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: Larger files are not read through at start: a daemon has to serve soon. They are once a page cannot be read.
_CHECKED_SIZE = 64 * 1024 * 1024


def open_for_writing(
    path: Path, clock: Callable[[], float], *, check_all: bool = False, own_place: bool = True
) -> tuple[sqlite3.Connection, list[str]]:
    """The connection that writes, and lines for the user about what was found.

    ``check_all``: read every page, however large the file is. ``own_place``: nobody but a recorder keeps a file there,
    so that any that cannot be used is set aside; else only what was a recorder's database once.
    Raises ``DatabaseTooNew``, ``NotOurs``, ``NotADatabase`` or ``CannotOpen``.
    """
    notices: list[str] = []
    problem = _corruption(path, check_all)
    if problem is not None:
        if not own_place:
            _refuse_foreign(path)
        notices.append(_set_aside(path, problem, clock()))
        _log.error("%s", notices[-1])
    with suppress(OSError):  # what it is about is said by SQLite
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))  # nobody else's to read
    try:
        connection = _connect(path)
    except sqlite3.Error as error:
        raise CannotOpen(path, str(error)) from None
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        if is_corruption(error) and not check_all:  # in a page that was not read until now
            return open_for_writing(path, clock, check_all=True, own_place=own_place)
        raise CannotOpen(path, str(error)) from None
    except BaseException:
        connection.close()
        raise
    return connection, notices


def is_corruption(error: BaseException) -> bool:
    """Whether SQLite says that the file is damaged."""
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _CORRUPT


def _refuse_foreign(path: Path) -> None:
    """Raises when the file was no recorder's, as its header says."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(MAGIC):
        raise NotADatabase(path, "is no SQLite database")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise NotOurs(path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA busy_timeout = 10000")
    return connection


def _corruption(path: Path, check_all: bool) -> str | None:
    """Why the file cannot be used, ``None`` when it can be, is empty or is not there."""
    try:
        require_regular(path)
        refuse_foreign_journal(path)
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotOpen(path, error.strerror or str(error)) from None
    if not magic:
        return None
    if magic != MAGIC:
        return "it is no SQLite database"
    try:
        with closing(_connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if size <= _CHECKED_SIZE or check_all:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                return None if found == "ok" else str(found).replace("\n", " ")
    except sqlite3.Error as error:
        if is_corruption(error):
            return str(error)
        raise CannotOpen(path, str(error)) from None
    except UnicodeDecodeError:  # SQLite's message quotes the schema, and Python cannot read the message
        return "malformed database schema"
    return None


def _set_aside(path: Path, problem: str, now_ms: float) -> str:
    """Renames the file and what belongs to it; the line that says so."""
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    number, aside = 1, path.with_name(f"{path.name}.corrupt-{stamp}")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        try:
            part.rename(aside.with_name(aside.name + suffix))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CannotOpen(path, f"it is corrupt ({problem}) and cannot be renamed: {error.strerror}") from None
    return f"{path} is corrupt ({problem}): it was set aside as {aside.name} and a new database was begun"


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = _recognise(connection, path)
    if version == 0:  # only before the first page is written; what cleanup frees can then be given back to the disk
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    limit_log(connection)
    connection.execute("PRAGMA temp_store = MEMORY")
    # A large transaction must not spill its pages before it commits.
    connection.execute("PRAGMA cache_size = -65536")
    if version < SCHEMA_VERSION:
        script = creation_script() if version == 0 else migration_script(version)
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nCOMMIT;")


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """The file's version, 0 for an empty one; only reads. Raises ``NotOurs`` or ``DatabaseTooNew``."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if application != APPLICATION_ID and (application or version or tables):
        raise NotOurs(path)
    if version > SCHEMA_VERSION:
        raise DatabaseTooNew(path, version, SCHEMA_VERSION)
    return version

"""Connections to a database that cannot write it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from semantest_recorder.store.errors import CannotOpen, DatabaseTooNew, DatabaseTooOld, NoDatabase, NotOurs
from semantest_recorder.store.regular import require_database_file
from semantest_recorder.store.schema import APPLICATION_ID, SCHEMA_VERSION

_NO_ROOM_FOR_ITS_LOG = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a database that this version can read.

    Raises ``NoDatabase``, ``DatabaseTooNew``, ``DatabaseTooOld``, ``NotOurs`` or ``CannotOpen``.
    """
    require_database_file(path)
    try:
        connection = open_read_only(path)
        connection.execute("PRAGMA query_only = 1")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error as error:
        raise CannotOpen(path, str(error)) from None
    except UnicodeDecodeError:  # SQLite's message quotes the schema, and Python cannot read the message
        raise CannotOpen(path, "database schema is malformed") from None
    problem: Exception | None = None
    if application != APPLICATION_ID:
        problem = NotOurs(path) if application or version else NoDatabase(path)
    elif version > SCHEMA_VERSION:
        problem = DatabaseTooNew(path, version, SCHEMA_VERSION)
    elif version < SCHEMA_VERSION:
        problem = DatabaseTooOld(path, version, SCHEMA_VERSION)
    if problem is not None:
        connection.close()
        raise problem
    return connection


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection to a database of any kind. Raises ``sqlite3.Error``.

    In a folder that cannot be written SQLite reads one of ours only when it is told that nobody writes.
    """
    try:
        return _connect(path, "mode=ro")
    except sqlite3.OperationalError as error:
        nobody_writes = not path.with_name(f"{path.name}-wal").exists() and not os.access(path.parent, os.W_OK)
        if (error.sqlite_errorcode & 0xFF) not in _NO_ROOM_FOR_ITS_LOG or not nobody_writes:
            raise
    return _connect(path, "immutable=1")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    name = f"file:{quote(str(path.absolute()))}?{how}"
    connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # it is read now, and by no query later
    except BaseException:
        connection.close()
        raise
    return connection

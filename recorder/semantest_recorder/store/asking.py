"""SQL of users: read, never written, with a limit of time, and its mistakes told with their place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Final

from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.portions import next_portion
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.sql_mistakes import explain

#: What is asked for this many steps of SQLite's machine: whether it is to end; some hundred times a second.
_STEPS: Final = 50_000
#: The largest text or blob that a query may make, in bytes: `zeroblob` and `printf` would take any memory.
_LARGEST: Final = 64 * 1024 * 1024
_ROWS: Final = 500
_ALLOWED: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
#: Pragmas that only tell something, and those of them that take the name of what they tell of.
_PLAIN: Final = ("application_id", "compile_options", "database_list", "function_list", "page_count", "user_version")
_NAMING: Final = ("table_info", "table_list", "table_xinfo", "index_info", "index_list", "foreign_key_list")

Value = str | int | float | bytes | None
Row = tuple[Value, ...]


class SqlMistake(StoreError):  # noqa: N818 - as the other errors of the store
    """The SQL cannot be run as it stands; the text, of several lines, says where and what is near."""


class TookTooLong(StoreError):  # noqa: N818
    """The query took longer than it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the query took longer than {seconds:g} s: give it more time with --timeout, or ask for less")


class Interrupted(StoreError):  # noqa: N818
    """Somebody interrupted the query."""

    def __init__(self) -> None:
        super().__init__("interrupted")


class Asking:
    """A connection to the database at ``path`` for one query of a user. Close it.

    Raises what ``connect_read_only`` raises. ``seconds`` is what the query may take, 0 for any time; the time that
    whoever reads the rows needs between them does not count.
    """

    def __init__(self, path: Path, seconds: float = 0.0, clock: Callable[[], float] = monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._spent = self._began = 0.0
        self._interrupted = False
        self._refused = ""
        self._connection = connect_read_only(path)
        self._connection.text_factory = _text
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        for function in ("json_each", "json_tree", *(f"pragma_{name}" for name in (*_PLAIN, *_NAMING))):
            self._connection.execute(f"SELECT 1 FROM {function} LIMIT 0")  # noqa: S608 - it is made now: a change
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(self._is_to_end, _STEPS)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def interrupt(self) -> None:
        """The query ends with ``Interrupted``; may be called at any time, also by a signal handler."""
        self._interrupted = True

    def ask(self, sql: str, parameters: Mapping[str, Value] | None = None) -> tuple[list[str], Iterator[list[Row]]]:
        """Names of the columns, and the rows in portions, each read when it is asked for.

        Raises, at once or with a portion, ``SqlMistake``, ``TookTooLong``, ``Interrupted`` or ``sqlite3.Error``.
        """
        given, self._refused = dict(parameters or {}), ""
        try:
            cursor = self._timed(lambda: self._connection.execute(sql, given))
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._told(error, sql, given) from None
        if cursor.description is None:
            raise SqlMistake("this asks for nothing: give a SELECT")
        return [column[0] for column in cursor.description], self._portions(cursor, sql)

    def _portions(self, cursor: sqlite3.Cursor, sql: str) -> Iterator[list[Row]]:
        while True:
            if self._interrupted:  # while the rows before were read
                raise Interrupted
            try:
                rows = self._timed(lambda: next_portion(cursor, _ROWS))
            except sqlite3.Error as error:
                raise self._told(error, sql, {}) from None
            if not rows:
                return
            yield rows

    def _timed(self, work: Callable[[], Any]) -> Any:
        self._began = self._clock()
        try:
            return work()
        finally:
            self._spent += self._clock() - self._began

    def _is_to_end(self) -> bool:
        """Called by SQLite again and again; Python handles signals meanwhile."""
        return self._interrupted or self._is_over()

    def _is_over(self) -> bool:
        return 0 < self._seconds < self._spent + self._clock() - self._began

    def _told(self, error: Exception, sql: str, given: Mapping[str, Value]) -> Exception:
        """What is raised instead of ``error``."""
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_INTERRUPT:
            return Interrupted() if self._interrupted else TookTooLong(self._seconds)
        if self._refused or code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
            return SqlMistake(f"this only reads what was recorded: {self._refused or 'what writes'} is refused")
        if code == sqlite3.SQLITE_TOOBIG:
            return SqlMistake(f"a text or blob of the query is larger than {_LARGEST // 2**20} MiB")
        if code is None or code == sqlite3.SQLITE_ERROR:
            return SqlMistake(explain(self._connection, sql, str(error), list(given)))
        return error

    def _authorize(
        self, action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
    ) -> int:
        if action in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second != "load_extension"):
            return sqlite3.SQLITE_OK
        pragma = (first or "").lower() if action == sqlite3.SQLITE_PRAGMA else ""
        if pragma in _NAMING or (pragma in _PLAIN and second is None):
            return sqlite3.SQLITE_OK
        self._refused = _refused(action, first, second)
        return sqlite3.SQLITE_DENY


def _refused(action: int, first: str | None, second: str | None) -> str:
    """What was refused, in words of SQL."""
    if action == sqlite3.SQLITE_PRAGMA:
        return f"PRAGMA {first}"
    if action == sqlite3.SQLITE_FUNCTION:
        return f"{second}()"
    words = {
        sqlite3.SQLITE_ATTACH: "ATTACH",
        sqlite3.SQLITE_DETACH: "DETACH",
        sqlite3.SQLITE_INSERT: "INSERT",
        sqlite3.SQLITE_UPDATE: "UPDATE",
        sqlite3.SQLITE_DELETE: "DELETE",
        sqlite3.SQLITE_TRANSACTION: str(first),
        sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT",
        sqlite3.SQLITE_REINDEX: "REINDEX",
        sqlite3.SQLITE_ANALYZE: "ANALYZE",
    }
    return words.get(action, "what changes the database")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")

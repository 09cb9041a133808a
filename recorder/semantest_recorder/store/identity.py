"""Which names tests had before, by the aliases in the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from semantest_recorder.core.analysis.identity import Alias, Identity
from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("aliases.sql")


def read_aliases(database: Path) -> list[Alias]:
    """All aliases, oldest first, removed ones included. Raises what ``Reader`` raises."""
    with closing(connect_read_only(database)) as connection:
        try:
            return aliases_in(connection)
        except sqlite3.Error as error:
            raise CannotOpen(database, str(error)) from None


def read_identity(database: Path) -> Identity:
    """The names of every test by the aliases in force. Raises what ``Reader`` raises."""
    return Identity(read_aliases(database))


def aliases_in(connection: sqlite3.Connection) -> list[Alias]:
    """The same of an open database. Raises ``sqlite3.Error``."""
    return [Alias(*row) for row in connection.execute(_SQL["all"])]

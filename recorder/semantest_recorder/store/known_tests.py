"""The tests that a database knows, page by page in the order of their ids."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from semantest_recorder.store.queries import statements

_SQL = statements("known_tests.sql")


class KnownTestRow(NamedTuple):
    """What is known of a test whatever its runs; ``params`` is empty for one without."""

    id: str
    suite: str
    function: str
    params: str


def listed_tests(
    connection: sqlite3.Connection, text: str | None, suite: str | None, after: str | None, most: int
) -> list[KnownTestRow]:
    """At most ``most`` tests behind the id ``after`` whose ids contain ``text``, whatever its case.

    Raises ``sqlite3.Error``.
    """
    parameters = {"text": text or None, "suite": suite, "after": after, "most": most}
    return [KnownTestRow(*row) for row in connection.execute(_SQL["listed"], parameters)]


def row_of_test(connection: sqlite3.Connection, test_id: str) -> KnownTestRow | None:
    """The test with this very id. Raises ``sqlite3.Error``."""
    row = connection.execute(_SQL["one"], (test_id,)).fetchone()
    return None if row is None else KnownTestRow(*row)

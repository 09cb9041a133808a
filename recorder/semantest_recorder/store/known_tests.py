"""The tests that a database knows, page by page in the order of their ids."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from semantest_recorder.store.queries import statements
from semantest_recorder.store.run_list import Place

_SQL = statements("known_tests.sql")


class KnownTestRow(NamedTuple):
    """What is known of a test whatever its runs; ``params`` is empty for one without. ``key``: its row."""

    id: str
    suite: str
    function: str
    params: str
    key: int


def listed_tests(
    connection: sqlite3.Connection, text: str | None, suite: str | None, after: Place | None, most: int
) -> list[KnownTestRow]:
    """At most ``most`` tests behind the place ``after`` (id, key) whose ids contain ``text``, whatever its case.

    Raises ``sqlite3.Error``.
    """
    place = place_of_test(connection, after)
    parameters = {
        "text": text or None,
        "suite": suite,
        "after": None if place is None else str(place.key),
        "most": most,
    }
    return [KnownTestRow(*row) for row in connection.execute(_SQL["listed"], parameters)]


def place_of_test(connection: sqlite3.Connection, place: Place | None) -> Place | None:
    """The place of the test with the key ``tie``, by its whole id: ``key`` may be the beginning of that.

    Of a test that was deleted meanwhile it stays the beginning. Raises ``sqlite3.Error``.
    """
    if place is None or not isinstance(place.key, str):
        return place
    row = connection.execute(_SQL["id"], (place.tie,)).fetchone()
    return place._replace(key=row[0]) if row is not None and row[0].startswith(place.key) else place


def row_of_test(connection: sqlite3.Connection, test_id: str) -> KnownTestRow | None:
    """The test with this very id. Raises ``sqlite3.Error``."""
    row = connection.execute(_SQL["one"], (test_id,)).fetchone()
    return None if row is None else KnownTestRow(*row)

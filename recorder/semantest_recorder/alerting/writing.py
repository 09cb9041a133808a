"""Changes of alerts, done by the store's writer between batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from semantest_recorder.cleaning import done_between
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.writer import Writer

T = TypeVar("T")


async def written(writer: Writer, work: Callable[[sqlite3.Connection], T]) -> T:
    """Does ``work`` in one transaction. Raises ``RuntimeError`` with a text for the user when it is not done."""
    results: list[T] = []

    def write(connection: sqlite3.Connection) -> Removed:
        results.append(work(connection))
        return Removed()

    def between(ingest: Ingest) -> None:
        ingest.between(write)

    await done_between(writer, between)
    return results[-1]

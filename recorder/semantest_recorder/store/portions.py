"""Rows in portions of bounded size, whatever the texts in them are."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

#: Of a portion that has so many characters and bytes in its texts and blobs, no further row is read.
_SIZE: Final = 8 * 1024 * 1024


def next_portion(cursor: sqlite3.Cursor, most: int) -> list[tuple[Any, ...]]:
    """The next rows: ``most`` of them, or fewer that are large; none at the end. Raises ``sqlite3.Error``."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        for value in row:
            if isinstance(value, str | bytes):
                size += len(value)
        if len(rows) == most or size >= _SIZE:
            break
    return rows

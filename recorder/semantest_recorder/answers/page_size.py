"""How much of a list stands on one page: names and errors of tests may be long (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

#: Of JSON; one entry may have more.
PAGE_BYTES: Final = 8 * 1024 * 1024


def that_fit(entries: Iterable[msgspec.Struct], most_bytes: int = PAGE_BYTES) -> int:
    """How many of the first ``entries`` are no longer than ``most_bytes`` together; one at least, if there is one."""
    size = count = 0
    for entry in entries:
        size += len(msgspec.json.encode(entry))
        if count and size > most_bytes:
            break
        count += 1
    return count

"""Sessions that are shipped, and their journals deleted, while a command reads them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

#: Several sessions may be shipped one after the other.
_TRIES = 5


def reread_when_shipped(read: Callable[[], T]) -> T:
    """What ``read`` gives, from the start again when it met that a journal is gone: its run is in the database then.

    Raises what ``read`` raises, ``FileNotFoundError`` only when that goes on.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileNotFoundError):
            return read()
    return read()

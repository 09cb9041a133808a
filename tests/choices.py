"""Choices read from bytes: what is random in a long test case, made fast, shrinkable, and guidable by coverage.

Hypothesis takes half a millisecond for each value that it draws, so that a history of a thousand choices costs more to
make than to test. Here it draws one block of bytes; a fuzzer that knows bytes only can give them as well. Where the
bytes end, each choice is the first one, so that less bytes are a simpler case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices:
    """Makes one choice after the other from ``data``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __repr__(self) -> str:
        return f"Choices({self._data.rstrip(bytes(1))!r})"

    @property
    def spent(self) -> bool:
        """Whether the bytes are used up: from now on each choice is the first one."""
        return self._at >= len(self._data)

    def number(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        span, size = high - low + 1, 1
        while 256**size < span:
            size += 1
        return low + int.from_bytes(self.take(size)) % span

    def of(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.number(0, len(options) - 1)]

    def yes(self, out_of: int = 2) -> bool:
        """Whether what happens once in so many cases happens; not where the bytes end."""
        return self.number(0, out_of - 1) == out_of - 1

    def some(self, options: Sequence[T], least: int = 0) -> list[T]:
        """At least so many of the options, in any order."""
        left, count = list(options), self.number(least, len(options))
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(count)]

    def take(self, size: int) -> bytes:
        """The next bytes, zeros behind their end."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken.ljust(size, b"\0")

    def rest(self) -> bytes:
        """All bytes that are left."""
        taken, self._at = self._data[self._at :], max(self._at, len(self._data))
        return taken


def choices(size: int) -> st.SearchStrategy[Choices]:
    """For Hypothesis: choices that ``size`` bytes can make."""
    return st.binary(min_size=size, max_size=size).map(Choices)

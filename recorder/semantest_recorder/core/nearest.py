"""Which name is meant by one that there is not, when there may be thousands, of any length (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import takewhile
from typing import Final

#: Comparing takes the square of the length: longer names are compared with none.
_LONGEST: Final = 100
#: With so many names it is compared.
_COMPARED: Final = 50


def nearest(name: str, known: Iterable[str], cutoff: float, most: int = 3) -> list[str]:
    """At most ``most`` of ``known`` that are most like ``name``; ``cutoff`` (0 to 1): how much they must be.

    Of many names those are compared that begin like it, and of these the first: so it takes milliseconds.
    """
    if len(name) > _LONGEST:
        return []
    short = [other for other in known if len(other) <= _LONGEST]
    if len(short) > _COMPARED:
        short.sort(key=lambda other: -_shared(name, other))
    return get_close_matches(name, short[:_COMPARED], most, cutoff)


def _shared(one: str, other: str) -> int:
    """How many characters two names have in common at their beginning."""
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))

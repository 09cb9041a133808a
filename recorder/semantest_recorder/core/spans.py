"""Which places of a plan are known, as the text of a column: ``0-500 1000-1500``, ends not included (pure).

A journal's chunks are one span once all of them came, however large the plan is.
"""

from __future__ import annotations

from typing import Final

#: Chunks that leave more holes than that between them are no plan of pytest: what they add counts as not known.
SPANS_MAX: Final = 100


def with_span(known: str, start: int, stop: int) -> str:
    """The places of ``known`` and those from ``start`` up to ``stop``; what was known before is not there twice."""
    if stop <= start:
        return known
    apart = []
    for first, last in _spans(known):
        if last < start or stop < first:
            apart.append((first, last))
        else:
            start, stop = min(start, first), max(stop, last)
    if len(apart) >= SPANS_MAX:
        return known
    return " ".join(f"{first}-{last}" for first, last in sorted([*apart, (start, stop)]))


def places_in(known: str) -> int:
    """How many places these are."""
    return sum(last - first for first, last in _spans(known))


def _spans(known: str) -> list[tuple[int, int]]:
    parts = (part.partition("-") for part in known.split())
    return [(int(first), int(last)) for first, _, last in parts]

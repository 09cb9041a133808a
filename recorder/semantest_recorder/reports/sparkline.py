"""A series of numbers as one line of characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
#: The same for terminals whose character set has no blocks.
ASCII: Final = "_.:-=+*#"
_WIDEST = 60


def sparkline(series: Sequence[float | None], characters: str = BLOCKS) -> str:
    """A character for each number, the lowest and the highest of ``characters`` for the least and the greatest one.

    Unknown ones are blanks. More than 60 numbers are taken together to medians of neighbours.
    """
    count = min(len(series), _WIDEST)
    borders = [len(series) * place // count for place in range(count + 1)] if count else []
    drawn = [_middle(series[start:end]) for start, end in pairwise(borders)]
    known = [value for value in drawn if value is not None]
    if not known:
        return ""
    least, reach = min(known), max(known) - min(known)
    steps = len(characters) - 1
    return "".join(
        " " if value is None else characters[round((value - least) / reach * steps) if reach else 0] for value in drawn
    )


def _middle(part: Sequence[float | None]) -> float | None:
    known = [value for value in part if value is not None]
    return median(known) if known else None

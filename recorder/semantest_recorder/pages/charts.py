"""Series drawn as SVG: where points lie, and which lines go through them (pure)."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

#: The drawing: in units of its own, which the page stretches.
WIDTH, HEIGHT = 1000.0, 160.0
_TOP, _BOTTOM = 8.0, 8.0
#: What the largest value of an axis may be, times a power of ten.
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


class Dot(NamedTuple):
    """One value of a series: its number among all, and where it is drawn."""

    place: int
    x: float
    y: float


class Chart(NamedTuple):
    """A series as it is drawn. ``lines``: paths of SVG, a new one behind each value that is not known.

    ``top``: the value at the upper end of the axis, whose lower end is 0.
    """

    dots: list[Dot]
    lines: list[str]
    top: float


def round_top(value: float) -> float:
    """The least round number that is not below ``value``; 1 for nothing above 0, or for what is no number.

    What is so small that a power of ten below it is 0 counts as nothing.
    """
    if not value >= sys.float_info.min or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _ROUND if step * power >= value), 10 * power)


def chart(values: Sequence[float | None], top: float | None = None) -> Chart:
    """The series from left to right. ``top``: the upper end of the axis; ``None``: a round one above all values."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    end = top if top is not None else round_top(max(known, default=0.0))
    step = WIDTH / max(len(values), 1)
    dots: list[Dot] = []
    lines: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None or not math.isfinite(value):
            lines.append([])
            continue
        share = min(max(value / end, 0.0), 1.0)
        dot = Dot(place, round((place + 0.5) * step, 2), round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 2))
        dots.append(dot)
        lines[-1].append(f"{'L' if lines[-1] else 'M'}{dot.x} {dot.y}")
    return Chart(dots, [" ".join(line) for line in lines if len(line) > 1], end)

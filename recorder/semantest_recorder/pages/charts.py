"""Series drawn as SVG: where points lie, and which lines go through them (pure)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

#: The drawing: in units of its own, which the page stretches.
WIDTH, HEIGHT = 1000.0, 160.0
_TOP, _BOTTOM = 8.0, 8.0
#: What the largest value of an axis may be, times a power of ten.
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
#: Where an axis of shares may begin.
_FLOORS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)


class Dot(NamedTuple):
    """One value of a series: its number among all, and where it is drawn."""

    place: int
    x: float
    y: float


class Chart(NamedTuple):
    """A series as it is drawn. ``lines``: paths of SVG, a new one behind each value that is not known.

    ``top`` and ``bottom``: the values at the ends of the axis.
    """

    dots: list[Dot]
    lines: list[str]
    top: float
    bottom: float


class Drawn(NamedTuple):
    """A chart with what stands at it: what each of the values reads, the ends of its axis, and places of changes."""

    chart: Chart
    words: list[str]
    top: str
    bottom: str
    marks: list[float]


def round_top(value: float) -> float:
    """The least round number that is not below ``value``; 1 for nothing above 0, or for what is no number.

    What is so small that a power of ten below it is 0 counts as nothing.
    """
    if not value >= sys.float_info.min or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _ROUND if step * power >= value), 10 * power)


def chart(values: Sequence[float | None]) -> Chart:
    """The series from left to right, its axis from 0 to a round number above all values."""
    return _chart(values, 0.0, round_top(max(_known(values), default=0.0)))


def chart_of_shares(values: Sequence[float | None]) -> Chart:
    """A series of shares that are near 1: its axis ends there, and begins below all of them, so that they differ."""
    least = min(_known(values), default=1.0)
    return _chart(values, max(floor for floor in _FLOORS if floor == 0 or floor < least), 1.0)


def drawn(chart: Chart, words: list[str], say: Callable[[float], str], marked: Iterable[int] = ()) -> Drawn:
    """``say`` gives the words for an end of the axis; ``marked``: before which values something changed for good."""
    step = WIDTH / max(len(words), 1)
    return Drawn(
        chart,
        words,
        say(chart.top),
        say(chart.bottom) if chart.bottom else "0",
        [round(place * step, 2) for place in marked],
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def _chart(values: Sequence[float | None], bottom: float, top: float) -> Chart:
    step = WIDTH / max(len(values), 1)
    dots: list[Dot] = []
    lines: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None or not math.isfinite(value):
            lines.append([])
            continue
        share = min(max((value - bottom) / (top - bottom), 0.0), 1.0)
        dot = Dot(place, round((place + 0.5) * step, 2), round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 2))
        dots.append(dot)
        lines[-1].append(f"{'L' if lines[-1] else 'M'}{dot.x} {dot.y}")
    return Chart(dots, [" ".join(line) for line in lines if len(line) > 1], top, bottom)

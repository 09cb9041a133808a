"""Runs as a strip of letters, the newest last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from semantest_recorder.reports.attempt_lines import STYLES
from semantest_recorder.reports.state_letters import NO_LETTER, STRIP_LETTERS
from semantest_recorder.reports.wording import state_word

_BARS = "▁▂▃▄▅▆▇█"


def strip_lines(states: Sequence[str]) -> Iterator[Text]:
    """A letter for each state, newest first as they come and newest last as they are shown, and what letters mean."""
    strip = Text("  ")
    for state in reversed(states):
        strip.append(STRIP_LETTERS.get(state, NO_LETTER), STYLES.get(state, ""))
    yield strip
    yield Text(
        "  "
        + ", ".join(f"{STRIP_LETTERS.get(state, NO_LETTER)} {state_word(state)}" for state in dict.fromkeys(states)),
        "dim",
    )


def bars(values: Iterable[float | None]) -> str:
    """A bar for each value, the largest as high as can be, in their order; a blank where there is none."""
    found = list(values)
    most = max((value for value in found if value is not None), default=0.0) or 1.0
    places = [None if value is None else min(int(value / most * len(_BARS)), len(_BARS) - 1) for value in found]
    return "".join(" " if place is None else _BARS[place] for place in places)

"""Which runs a page looks at: as its address says it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, Final

from semantest_recorder.answers.freshness import stamp_of
from semantest_recorder.answers.run_search import lately
from semantest_recorder.answers.slower import is_age
from semantest_recorder.answers.window import Window
from semantest_recorder.pages.page import Visit

#: What the field offers: so many runs, or the runs of so many days.
WINDOWS: Final = {
    "20": "Last 20 runs",
    "100": "Last 100 runs",
    "500": "Last 500 runs",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
}
USUAL_WINDOW: Final = "100"
_DAY_MS = 86_400_000.0


def window_of(visit: Visit) -> Window:
    """The runs that ``?window=`` and ``?branch=`` choose. Raises ``Misunderstood``."""
    chosen = visit.choice("window", tuple(WINDOWS), USUAL_WINDOW)
    branch = visit.asked("branch") or None
    if chosen.endswith("d"):
        return Window(most=None, since_ms=time.time() * 1000 - int(chosen[:-1]) * _DAY_MS, branch=branch)
    return Window(most=int(chosen), branch=branch)


def window_choices(database: Path) -> Mapping[str, Any]:
    """What templates need for the fields of these parameters."""
    return {"windows": WINDOWS, "branches": lately(database).branches}


def closed_runs(database: Path, since: str = "") -> Callable[[Visit], Hashable]:
    """The stamp of pages of runs that are over, see ``Page``; what the last days are changes with each minute.

    ``since``: what a page takes for the parameter of that name if it is not given.
    """

    def stamp(visit: Visit) -> Hashable:
        told = visit.asked("window") or visit.asked("since") or since
        minute = int(time.time() / 60) if is_age(told) else 0
        return stamp_of(database), minute

    return stamp

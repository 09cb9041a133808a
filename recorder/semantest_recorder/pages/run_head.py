"""What all pages of one run have in common: its head, and the tabs that lead from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple

from semantest_recorder.answers.freshness import stamp_of
from semantest_recorder.answers.runs import one_run
from semantest_recorder.pages.page import Visit
from semantest_recorder.pages.words import run_address


class Tab(NamedTuple):
    """A page of a run; ``name`` is what the page calls itself."""

    name: str
    title: str
    address: str


#: ``(name, title, path behind that of the run)``, in the order in which they stand.
_TABS = (
    ("overview", "Overview", ""),
    ("tests", "Tests", "/tests"),
    ("suites", "Suites", "/suites"),
    ("timeline", "Timeline", "/timeline"),
    ("details", "Details", "/details"),
)
_LIVE = ("live", "Live", "/live")
#: States of a run that is not over.
OPEN_STATES = ("pending", "running")


def run_stamp(database: Path) -> Callable[[Visit], Hashable]:
    """The stamp of pages of one run, see ``Page``."""

    def stamp(visit: Visit) -> Hashable:
        return stamp_of(database, visit.names["run"])

    return stamp


def run_head(database: Path, visit: Visit, tab: str) -> dict[str, Any]:
    """The values of ``run_head.html``: ``run`` (a ``RunSummary``), ``tabs``, and ``tab``, the one that is looked at.

    The run is the one that ``run`` in the page's path names (id, unique beginning or ``last``). Raises what ``Reader``
    raises.
    """
    run = one_run(database, visit.names["run"])
    told = (*_TABS, _LIVE) if tab == "live" or run.state in OPEN_STATES else _TABS
    return {"run": run, "tab": tab, "tabs": [Tab(name, title, run_address(run.id, rest)) for name, title, rest in told]}

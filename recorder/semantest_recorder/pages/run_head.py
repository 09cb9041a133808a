"""What all pages of one run have in common: its head, and the tabs that lead from one to the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, NamedTuple

from semantest_recorder.answers.freshness import run_version, stamp_of
from semantest_recorder.answers.runs import one_run
from semantest_recorder.pages.page import POLL, Visit, polled
from semantest_recorder.pages.words import run_address
from semantest_recorder.reports.run_list import RunSummary


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
    """The stamp of pages of one run, see ``Page``; what scripts ask for while the run goes on is ``polled``."""
    poll = polled(POLL)

    def stamp(visit: Visit) -> Hashable:
        asked_by_script = poll(visit)
        if asked_by_script is not None:
            return asked_by_script
        return stamp_of(database, visit.names["run"], while_open=int(time.time()))

    return stamp


def run_head(database: Path, visit: Visit, tab: str) -> dict[str, Any]:
    """The values of ``run_head.html``: ``run`` (a ``RunSummary``), ``tabs``, and ``tab``, the one that is looked at.

    The run is the one that ``run`` in the page's path names (id, unique beginning or ``last``). Raises what ``Reader``
    raises.
    """
    run = one_run(database, visit.names["run"])
    told = (*_TABS, _LIVE) if tab == "live" or run.state in OPEN_STATES else _TABS
    return {"run": run, "tab": tab, "tabs": [Tab(name, title, run_address(run.id, rest)) for name, title, rest in told]}


class AsOf(NamedTuple):
    """Of which moment a page of a run that goes on is: milliseconds since the epoch.

    ``version`` differs when something has happened since; ``current`` is where a script asks for the page as it is now.
    """

    ms: float
    version: str
    current: str


def as_of(database: Path, visit: Visit, run: RunSummary) -> dict[str, AsOf | None]:
    """The value of ``as_of.html``, to be asked for before what the page shows. Raises what ``Reader`` raises."""
    if run.state not in OPEN_STATES:
        return {"as_of": None}
    return {"as_of": AsOf(time.time() * 1000, run_version(database, run.id), visit.same(**{POLL: 1}))}

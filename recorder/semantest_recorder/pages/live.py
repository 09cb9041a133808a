"""``/live`` and ``/runs/{run}/live``: a run while it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from semantest_recorder.answers.live_look import first_look
from semantest_recorder.answers.runs import open_runs
from semantest_recorder.core.access import OPERATORS
from semantest_recorder.pages.live_sections import log_section, sections_of, stack_section
from semantest_recorder.pages.page import POLL, Page, Visit, polled
from semantest_recorder.pages.run_head import run_head
from semantest_recorder.reports.run_list import RunSummary
from semantest_recorder.store.errors import RunNotFound


def pages(database: Path, clock: Callable[[], float]) -> list[Page]:
    """The pages; ``clock`` gives milliseconds since the epoch."""
    return [
        Page("/live", "live.html", "live", partial(_now, database, clock), stamp=polled(POLL)),
        Page("/runs/{run}/live", "live_run.html", "runs", partial(_of_run, database, clock)),
    ]


def _of_run(database: Path, clock: Callable[[], float], visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "live")
    return {**head, **_look(database, clock, visit, head["run"])}


def _now(database: Path, clock: Callable[[], float], visit: Visit) -> Mapping[str, Any]:
    """The one run that goes on, all of several, or the last one."""
    going_on = open_runs(database)
    if len(going_on) > 1:
        return {"runs": going_on, "run": None}
    visit = replace(visit, names={"run": going_on[0].id if going_on else "last"})
    try:
        return {"runs": going_on, **_of_run(database, clock, visit)}
    except RunNotFound:
        return {"runs": [], "run": None}


def _look(database: Path, clock: Callable[[], float], visit: Visit, run: RunSummary) -> dict[str, Any]:
    now_ms = clock()
    look, log, stacks = first_look(database, run.id, now_ms)
    sections = {**sections_of(look), "wholeLog": log_section(log), "stacks": stack_section(stacks)}
    return {"live": sections, "may_ask": visit.identity.has_any(OPERATORS), "now_ms": now_ms}

"""``/compare``: what is another in one run than in another, and choosing the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from semantest_recorder.answers.errors import NoRunBefore
from semantest_recorder.answers.kept_differences import KeptDifferences
from semantest_recorder.answers.run_search import RunFilter, found_runs
from semantest_recorder.answers.runs import one_run
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.reports.run_diff import RenamedFunction, RunDiff, TestChange, TimeChange

#: Tests of a list that are shown, and when all of the list are asked for.
_SHOWN, _SHOWN_MAX = 25, 2000
_RUNS = 30
_COLUMNS = ("change", "test", "before", "after", "old_id", "why", "type", "message", "usual_ms", "now_ms")


Item = TestChange | TimeChange | RenamedFunction


class Section(NamedTuple):
    """One list of a comparison; ``state``: the colour of its number, ``kind``: how its rows look."""

    name: str
    title: str
    state: str
    kind: str
    items: Sequence[Item]


#: Parameters of the address.
_ASKS: Final = ("before", "after", "q", "find", "all")


def pages(database: Path, kept: KeptDifferences) -> list[Page]:
    """The page."""
    view, table = partial(_view, database, kept), partial(_table, kept)
    return [Page("/compare", "comparing.html", "compare", view, table, asks=_ASKS)]


def _view(database: Path, kept: KeptDifferences, visit: Visit) -> Mapping[str, Any]:
    before, after = _chosen(kept, visit)
    if not before or not after or visit.asked("find"):
        sent = "q" in visit.query and not visit.asked("find")
        return {"diff": None, "sent": sent, **_choice(database, before, after, visit.asked("q"))}
    diff = kept.between(before, after)
    sections = list(_sections(diff))
    whole = visit.choice("all", ("", *(section.name for section in sections)))
    return {
        "diff": diff,
        "sections": sections,
        "most": {section.name: _SHOWN_MAX if section.name == whole else _SHOWN for section in sections},
        "numbers": [*((one.name, one.title, one.state, len(one.items)) for one in sections)],
    }


def _choice(database: Path, before: str, after: str, text: str) -> Mapping[str, Any]:
    """The runs to choose from, those first that are chosen and have not this text."""
    named = {name: one_run(database, name) for name in (before, after) if name}
    found = found_runs(database, RunFilter(text=text or None), _RUNS)
    listed = {run.id for run in found}
    kept = {run.id: run for run in named.values() if run.id not in listed}
    return {
        "chosen": {place: named[name].id if name else "" for place, name in (("before", before), ("after", after))},
        "runs": [*kept.values(), *found],
    }


def _chosen(kept: KeptDifferences, visit: Visit) -> tuple[str, str]:
    """The two runs that are asked for; of a later one alone the one before it, if there is such."""
    before, after = visit.asked("before"), visit.asked("after")
    if after and not before and "q" not in visit.query:
        try:
            before = kept.run_before(after)
        except NoRunBefore:
            return "", after
    return before, after


def _sections(diff: RunDiff) -> Iterator[Section]:
    """All lists, those that are asked about most first."""
    yield Section("newly-failing", "Newly failing", "failed", "states", diff.newly_failing)
    yield Section("fixed", "Fixed", "passed", "states", diff.fixed)
    yield Section("newly-flaky", "Newly flaky", "flaky", "states", diff.newly_flaky)
    yield Section("newly-skipped", "Newly skipped", "skipped", "states", diff.newly_skipped)
    yield Section("still-failing", "Still failing", "failed", "states", diff.still_failing)
    yield Section("slower", "Slower", "flaky", "times", diff.slower)
    yield Section("faster", "Faster", "passed", "times", diff.faster)
    yield Section("renamed", "Renamed or moved", "", "names", diff.renamed)
    yield Section("added", "Added", "", "states", diff.added)
    yield Section("removed", "Removed", "", "states", diff.removed)
    yield Section("other", "Changed otherwise", "", "states", diff.other)
    yield Section("not-run", "Not run", "not_run", "states", diff.not_run)
    yield Section("not-run-before", "Not run before", "", "states", diff.not_run_before)


def _table(kept: KeptDifferences, visit: Visit) -> Table:
    before, after = _chosen(kept, visit)
    if not before or not after:
        raise Misunderstood("name both runs: /compare?before=...&after=...")
    rows = [_row(section.name, item) for section in _sections(kept.between(before, after)) for item in section.items]
    return Table("comparison", _COLUMNS, rows)


def _row(change: str, item: Item) -> list[Cell]:
    if isinstance(item, TestChange):
        kind, message = (item.error.type, item.error.message) if item.error is not None else (None, None)
        return [change, item.id, item.before, item.after, item.old_id, item.why, kind, message, None, None]
    if isinstance(item, TimeChange):
        return [change, item.id, None, None, None, None, None, None, item.usual_ms, item.now_ms]
    return [change, item.new, None, None, item.old, item.evidence, None, None, None, None]

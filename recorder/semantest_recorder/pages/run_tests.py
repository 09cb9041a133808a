"""``/runs/{run}/tests``: the tests of a run, in windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.answers.run_tests import (
    Bounds,
    ResultFilter,
    WindowOrder,
    WindowRow,
    all_tests,
    window_of_tests,
    workers_of_run,
)
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.run_head import as_of, run_head, run_stamp
from semantest_recorder.pages.run_words import SEVERITY
from semantest_recorder.pages.table import Table
from semantest_recorder.pages.words import run_address
from semantest_recorder.reports.report import Counts
from semantest_recorder.reports.wording import nonzero

_SHOWN: Final = 100
#: Of what is typed; the longest ids are far shorter.
_LONGEST_TEXT: Final = 2000
_STATES: Final = (*FINAL_STATES, "running", "pending")
#: The orders, and how they are called.
_ORDERS: Final = {"state": "worst first", "plan": "plan", "duration": "slowest first", "name": "name"}
#: Markers of pytest itself tell nobody what a test is about.
_OWN_MARKERS: Final = frozenset({"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail"})
#: Of one test.
_MARKERS_SHOWN: Final = 6
_COLUMNS: Final = (
    *("test", "state", "duration_ms", "worker", "attempts", "suite", "markers", "reason", "error_type"),
    *("error_message", "in_quarantine", "forgiven"),
)
#: Parameters of the address.
_ASKS: Final = ("state", "worker", "marker", "suite", "text", "sort", "after", "before", "end", "place")


def pages(database: Path) -> list[Page]:
    """The page."""
    views = partial(_view, database), partial(_table, database)
    return [Page("/runs/{run}/tests", "run_tests.html", "runs", *views, stamp=run_stamp(database), asks=_ASKS)]


class ShownTest(NamedTuple):
    """A test as its row has it: its name in parts, what went wrong in one line, and the width of its bar in percent."""

    row: WindowRow
    path: str
    function: str
    params: str
    wrong: str
    markers: list[str]
    width: float


def _view(database: Path, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "tests")
    head |= as_of(database, visit, head["run"])
    run = head["run"]
    wanted, order, bounds = _filter(visit), _order(visit), _bounds(visit)
    narrowed = any((wanted.worker, wanted.marker, wanted.suite, wanted.text))
    rows, counted = window_of_tests(database, run.id, wanted, order, bounds, _SHOWN, counted=narrowed)
    states = _numbers(run.counts) if counted is None else counted
    total = sum(number for state, number in states.items() if not wanted.states or state in wanted.states)
    offset = max(0, total - len(rows)) if bounds.end else _passed(visit, bounds, len(rows))
    longest = max((row.duration_ms for row in rows), default=0.0)
    return {
        **head,
        "rows": [_shown(row, longest) for row in rows],
        "total": total,
        "first": offset + 1,
        "chips": _chips(visit, states, wanted.states),
        "all_states": sum(states.values()),
        "links": _links(visit, rows, offset, total),
        "orders": _ORDERS,
        "order": order,
        "workers": workers_of_run(database, run.id),
        "wanted": wanted,
        "plain": run_address(run.id, "/tests"),
    }


def _table(database: Path, visit: Visit) -> Table:
    run = run_head(database, visit, "tests")["run"]
    rows = all_tests(database, run.id, _filter(visit), _order(visit))
    cells = [
        (
            *(row.test_id, row.state, row.duration_ms, row.worker, row.attempts, row.suite, " ".join(row.markers)),
            *(row.reason, row.error_type, row.error_message, row.in_quarantine, row.forgiven),
        )
        for row in rows
    ]
    return Table("tests", _COLUMNS, cells)


def _filter(visit: Visit) -> ResultFilter:
    states = tuple(state for state in visit.query.getall("state", []) if state)
    for state in states:
        if state not in _STATES:
            raise Misunderstood(f"state={state[:40]} is not one of {', '.join(_STATES)}")
    texts = {name: visit.asked(name) for name in ("worker", "marker", "suite", "text")}
    for name, text in texts.items():
        if len(text) > _LONGEST_TEXT:
            raise Misunderstood(f"{name} is longer than {_LONGEST_TEXT} characters")
    return ResultFilter(states, **texts)


def _order(visit: Visit) -> WindowOrder:
    return cast("WindowOrder", visit.choice("sort", tuple(_ORDERS), "state"))


def _bounds(visit: Visit) -> Bounds:
    return Bounds(visit.asked("after"), visit.asked("before"), bool(visit.asked("end")))


def _passed(visit: Visit, bounds: Bounds, shown: int) -> int:
    """How many tests stand before the window: links carry it along, so that nothing has to be counted."""
    place = visit.number("place", 1, 999_999_999) - 1
    if bounds.after:
        return place
    return max(0, place - shown) if bounds.before else 0


def _links(visit: Visit, rows: list[WindowRow], offset: int, total: int) -> dict[str, str]:
    """Where the other windows are; one that would be empty is not there."""
    none = {"after": None, "before": None, "end": None, "place": None}
    if not rows:
        return {"first": visit.same(**none)} if total else {}
    links = {}
    if offset:
        links["first"] = visit.same(**none)
        links["previous"] = visit.same(**none | {"before": rows[0].test_id, "place": offset + 1})
    if offset + len(rows) < total:
        links["next"] = visit.same(**none | {"after": rows[-1].test_id, "place": offset + len(rows) + 1})
        links["last"] = visit.same(**none | {"end": 1})
    return links


class Chip(NamedTuple):
    """A state to filter by: ``address`` puts it into the filter, or out of it where it is ``chosen``."""

    state: str
    number: int
    chosen: bool
    address: str


def _chips(visit: Visit, states: Mapping[str, int], chosen: Sequence[str]) -> list[Chip]:
    window = {"after": None, "before": None, "end": None, "place": None}
    chips = []
    for state in SEVERITY:
        number, is_chosen = states.get(state, 0), state in chosen
        if number or is_chosen:
            others = [one for one in chosen if one != state]
            told = others if is_chosen else [*others, state]
            chips.append(Chip(state, number, is_chosen, visit.same(**window, state=told)))
    return chips


def _numbers(counts: Counts) -> Mapping[str, int]:
    return dict(nonzero(counts))


def _shown(row: WindowRow, longest_ms: float) -> ShownTest:
    name = row.test_id.removeprefix(f"{row.suite}::") if row.test_id != row.suite else row.test_id
    path = row.test_id[: len(row.test_id) - len(name)]
    function, bracket, params = name.partition("[")
    width = round(100 * row.duration_ms / longest_ms, 1) if longest_ms > 0 else 0.0
    least = 1.0 if row.duration_ms else 0.0
    markers = [marker for marker in row.markers if marker not in _OWN_MARKERS][:_MARKERS_SHOWN]
    return ShownTest(row, path, function, f"{bracket}{params}", _wrong(row), markers, max(width, least))


def _wrong(row: WindowRow) -> str:
    """The first line of the error with its type, or the reason."""
    if row.error_message or row.error_type:
        kind, first = (row.error_type or "").rpartition(".")[2], (row.error_message or "").strip().partition("\n")[0]
        told = kind and not first.startswith((kind, row.error_type or kind))
        return (f"{kind}: {first}" if first else kind) if told else first
    return (row.reason or "").strip().partition("\n")[0]

"""``/runs/{run}/suites``: the folders, files and classes of a run as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.answers.suites_of_run import SuiteTrees
from semantest_recorder.pages.page import NotThere, Page, Visit
from semantest_recorder.pages.run_head import as_of, run_head, run_stamp
from semantest_recorder.pages.table import Cell, Table
from semantest_recorder.pages.words import run_address
from semantest_recorder.reports.aggregate import counts_of
from semantest_recorder.reports.report import Counts
from semantest_recorder.reports.suite_tree import (
    CHILDREN_SHOWN,
    Order,
    SuiteNode,
    TreeRow,
    find_node,
    in_order,
    tree_rows,
)

_ORDERS: Final = {"worst": "worst first", "time": "slowest first", "name": "name"}
_STATES: Final = (*FINAL_STATES, "running", "pending")
_COLUMNS: Final = ("suite", "kind", "tests", "duration_ms", *_STATES)
#: Of toggled nodes, which stand in the address.
_TOGGLED: Final = 200
#: Parameters of the address.
_ASKS: Final = ("toggle", "first", "under", "sort")


def pages(database: Path) -> list[Page]:
    """The page."""
    trees = SuiteTrees(database)
    views = partial(_view, database, trees), partial(_table, database, trees)
    return [Page("/runs/{run}/suites", "run_suites.html", "runs", *views, stamp=run_stamp(database), asks=_ASKS)]


class ShownNode(NamedTuple):
    """A row: ``tests`` and ``inside`` are addresses; ``toggle`` opens or closes it, empty where nothing is in it."""

    row: TreeRow
    counts: Counts
    width: float
    tests: str
    inside: str
    toggle: str


def _view(database: Path, trees: SuiteTrees, visit: Visit) -> Mapping[str, Any]:
    head = run_head(database, visit, "suites")
    head |= as_of(database, visit, head["run"])
    run_id = head["run"].id
    under, order = _under(trees, visit, run_id), _order(visit)
    toggled = list(dict.fromkeys(visit.query.getall("toggle", [])))[:_TOGGLED]
    first = visit.number("first", 1, 999_999_999)
    rows = tree_rows(under, toggled, order, first - 1)
    longest = max((row.node.duration_ms for row in rows), default=0.0)
    return {
        **head,
        "under": under,
        "rows": [_shown(visit, run_id, row, toggled, longest) for row in rows],
        "first": first,
        "shown": sum(row.depth == 0 for row in rows),
        "links": _links(visit, first, len(under.children)),
        "crumbs": _crumbs(visit, under),
        "counts_under": counts_of(under.states, closed=False),
        "tests_under": run_address(run_id, "/tests", suite=under.path or None),
        "orders": _ORDERS,
        "order": order,
        "plain": run_address(run_id, "/suites"),
    }


def _table(database: Path, trees: SuiteTrees, visit: Visit) -> Table:
    run = run_head(database, visit, "suites")["run"]
    return Table("suites", _COLUMNS, [_cells(node) for node in _all(_under(trees, visit, run.id), _order(visit))])


def _under(trees: SuiteTrees, visit: Visit, run_id: str) -> SuiteNode:
    root, path = trees.of(run_id), visit.asked("under")
    found = find_node(root, path)
    if found is None:
        raise NotThere(f"this run has no folder, file or class {path}")
    return found


def _order(visit: Visit) -> Order:
    return cast("Order", visit.choice("sort", tuple(_ORDERS), "worst"))


def _shown(visit: Visit, run_id: str, row: TreeRow, toggled: list[str], longest_ms: float) -> ShownNode:
    node = row.node
    others = [path for path in toggled if path != node.path]
    toggle = visit.same(toggle=others if node.path in toggled else [*others, node.path]) if node.children else ""
    return ShownNode(
        row,
        counts_of(node.states, closed=False),
        round(100 * node.duration_ms / longest_ms, 1) if longest_ms else 0.0,
        run_address(run_id, "/tests", suite=node.path),
        visit.same(under=node.path, toggle=None, first=None),
        toggle,
    )


def _crumbs(visit: Visit, under: SuiteNode) -> list[tuple[str, str]]:
    """Name and address of what ``under`` is in, the outermost first."""
    file, *classes = under.path.split("::")
    folders = file.split("/")
    paths = ["/".join(folders[: end + 1]) for end in range(len(folders))]
    paths += ["::".join((file, *classes[: end + 1])) for end in range(len(classes))]
    names = [*folders, *classes]
    told = [
        (name, visit.same(under=path, toggle=None, first=None)) for name, path in zip(names, paths, strict=True) if name
    ]
    return [("All suites", visit.same(under=None, toggle=None, first=None)), *told]


def _links(visit: Visit, first: int, total: int) -> dict[str, str]:
    """Where the other children of a node with very many are."""
    places: dict[str, int] = {}
    if first > 1:
        places |= {"first": 1, "previous": max(1, first - CHILDREN_SHOWN)}
    if first + CHILDREN_SHOWN <= total:
        places |= {"next": first + CHILDREN_SHOWN, "last": (total - 1) // CHILDREN_SHOWN * CHILDREN_SHOWN + 1}
    return {name: visit.same(first=place if place > 1 else None) for name, place in places.items()}


def _all(node: SuiteNode, order: Order) -> Iterator[SuiteNode]:
    for child in in_order(node.children.values(), order):
        yield child
        yield from _all(child, order)


def _cells(node: SuiteNode) -> list[Cell]:
    head: list[Cell] = [node.path, node.kind, node.total, round(node.duration_ms, 3)]
    return [*head, *(node.states.get(state, 0) for state in _STATES)]

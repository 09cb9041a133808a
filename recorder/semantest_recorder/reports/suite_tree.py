"""The suites of a run as a tree of folders, files and classes, and which of its nodes are open (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from pytest_semantest.protocol.events import BAD_STATES

Kind = Literal["folder", "file", "class"]
Order = Literal["worst", "time", "name"]
#: A tree that nobody opened shows about so many rows.
_ROWS_AT_FIRST: Final = 40
#: Levels of folders, and of classes: names come from anybody, and what is deeper stays one name.
_DEEPEST: Final = 40
#: Children of a node that are shown below it; the rest is on the page of the node itself.
CHILDREN_SHOWN: Final = 50


class SuiteNode(msgspec.Struct, eq=False):
    """A node with all that is in it. ``path`` names it, and is the beginning of the ids of its tests.

    ``states``: how many tests are in each state; ``duration_ms``: of all of them one after the other.
    """

    path: str
    name: str
    kind: Kind
    states: dict[str, int] = msgspec.field(default_factory=dict)
    duration_ms: float = 0.0
    children: dict[str, SuiteNode] = msgspec.field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many tests are in it."""
        return sum(self.states.values())

    @property
    def bad(self) -> int:
        """How many of them keep a run from being green."""
        return sum(number for state, number in self.states.items() if state in BAD_STATES)


class TreeRow(msgspec.Struct):
    """A row of the tree. ``depth`` begins with 0; ``more``: of an open node, how many children are not shown."""

    node: SuiteNode
    depth: int
    is_open: bool
    more: int = 0


def suite_tree(suites: Iterable[tuple[str, Mapping[str, int], float]]) -> SuiteNode:
    """The tree of suites, each with the states of its own tests and their time in ms; the root has no name.

    A folder with nothing but one folder or file in it is one node with that: ``tests/unit``.
    """
    root = SuiteNode("", "", "folder")
    for suite, states, duration_ms in suites:
        node = root
        for path, name, kind in _steps(suite):
            found = node.children.get(path)
            if found is None:
                found = node.children[path] = SuiteNode(path, name or path, kind)
            node = found
        for state, number in states.items():
            node.states[state] = node.states.get(state, 0) + number
        node.duration_ms += duration_ms
    _sum_up(root)
    for path, child in root.children.items():
        root.children[path] = _joined(child)
    return root


def find_node(root: SuiteNode, path: str) -> SuiteNode | None:
    """The node that ``path`` names, also one that was joined with the one below it; ``None`` when there is none."""
    node = root
    for step, _name, _kind in _steps(path) if path else ():
        child = node.children.get(step)
        if child is not None:
            node = child
        elif not node.path or not is_in(node.path, step):
            return None
    return node


def is_in(path: str, node: str) -> bool:
    """Whether ``path`` names the node itself, or what is in it."""
    return not node or path == node or path.startswith((f"{node}/", f"{node}::"))


def tree_rows(root: SuiteNode, toggled: Collection[str], order: Order, skipped: int = 0) -> list[TreeRow]:
    """The rows below ``root``, without the first ``skipped`` of its children and what is in them.

    What leads to bad tests is open, as far as it is few; nodes that were ``toggled`` are the other way.
    """
    opened = _opened_at_first(root) ^ set(toggled)
    return list(_rows(root, opened, order, 0, skipped))


def in_order(nodes: Iterable[SuiteNode], order: Order) -> list[SuiteNode]:
    """Nodes beside each other: those with the most bad tests first, those that took longest, or by name."""
    if order == "time":
        return sorted(nodes, key=lambda node: (-node.duration_ms, node.name))
    if order == "worst":
        return sorted(nodes, key=lambda node: (-node.bad, -node.states.get("flaky", 0), node.name))
    return sorted(nodes, key=lambda node: node.name)


def _rows(parent: SuiteNode, opened: Collection[str], order: Order, depth: int, skipped: int = 0) -> Iterator[TreeRow]:
    for node in in_order(parent.children.values(), order)[skipped : skipped + CHILDREN_SHOWN]:
        is_open = node.path in opened and bool(node.children)
        yield TreeRow(node, depth, is_open, max(0, len(node.children) - CHILDREN_SHOWN) if is_open else 0)
        if is_open:
            yield from _rows(node, opened, order, depth + 1)


def _opened_at_first(root: SuiteNode) -> set[str]:
    """What leads to bad tests, level by level, as long as the rows are few; a single node is always open."""
    opened = set[str]()
    level, rows = list(root.children.values()), len(root.children)
    if len(level) == 1:
        opened.add(level[0].path)
    while level:
        below = list[SuiteNode]()
        for node in in_order(level, "worst"):
            more = min(len(node.children), CHILDREN_SHOWN)
            if node.path in opened or (node.bad and node.kind == "folder" and rows + more <= _ROWS_AT_FIRST):
                opened.add(node.path)
                rows += more
                below += node.children.values()
        level = below
    return opened


def _steps(suite: str) -> Iterator[tuple[str, str, Kind]]:
    """``(path, name, kind)`` of the nodes that lead to a suite, and of the suite."""
    file, *classes = suite.split("::", _DEEPEST)
    folders = file.split("/", _DEEPEST)
    for depth in range(1, len(folders)):
        if folders[depth - 1]:
            yield "/".join(folders[:depth]), folders[depth - 1], "folder"
    yield file, folders[-1], "file"
    path = file
    for name in classes:
        path = f"{path}::{name}"
        yield path, name, "class"


def _sum_up(node: SuiteNode) -> None:
    for child in node.children.values():
        _sum_up(child)
        node.duration_ms += child.duration_ms
        for state, number in child.states.items():
            node.states[state] = node.states.get(state, 0) + number


def _joined(node: SuiteNode) -> SuiteNode:
    """A folder with a single node in it becomes that one, under both names."""
    if node.kind == "folder" and len(node.children) == 1:
        (only,) = node.children.values()
        if only.total == node.total:
            joined = _joined(only)
            joined.name = f"{node.name}/{joined.name}"
            return joined
    for path, child in node.children.items():
        node.children[path] = _joined(child)
    return node

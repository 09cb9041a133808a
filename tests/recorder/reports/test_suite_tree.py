"""Suites as a tree."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.suite_tree import CHILDREN_SHOWN, SuiteNode, find_node, is_in, suite_tree, tree_rows

SUITES = st.dictionaries(
    st.text(alphabet="ab/:.", max_size=12),
    st.dictionaries(st.sampled_from(["passed", "failed", "skipped"]), st.integers(1, 9), min_size=1),
    max_size=12,
)


def all_nodes(node: SuiteNode) -> Iterator[SuiteNode]:
    for child in node.children.values():
        yield child
        yield from all_nodes(child)


@given(SUITES)
def test_a_node_has_all_that_is_in_it(suites: dict[str, dict[str, int]]) -> None:
    root = suite_tree((suite, states, 1.5) for suite, states in suites.items())
    assert root.total == sum(sum(states.values()) for states in suites.values())
    assert root.duration_ms == 1.5 * len(suites)
    for node in all_nodes(root):
        below = sum(child.total for child in node.children.values())
        own = sum(suites.get(node.path, {}).values())
        assert node.total == below + own or not node.path


@given(SUITES)
def test_every_suite_is_found_by_its_name(suites: dict[str, dict[str, int]]) -> None:
    root = suite_tree((suite, states, 1.0) for suite, states in suites.items())
    for suite, states in suites.items():
        found = find_node(root, suite)
        assert found is not None
        assert found.total >= sum(states.values())
        assert is_in(found.path, suite)


def test_folders_with_one_thing_in_them_are_joined_and_found() -> None:
    root = suite_tree([("a/b/c/test_x.py::TestY", {"passed": 2}, 3.0), ("d.py", {"failed": 1}, 1.0)])
    assert [child.name for child in root.children.values()] == ["a/b/c/test_x.py", "d.py"]
    found = find_node(root, "a/b")
    assert found is not None
    assert found.path == "a/b/c/test_x.py"
    assert find_node(root, "a/bb") is None


def test_it_is_folded_to_what_is_bad() -> None:
    suites = [(f"good/test_{n}.py", {"passed": 1}, 1.0) for n in range(3)]
    suites += [("bad/test_a.py", {"failed": 1}, 1.0), ("bad/test_b.py", {"passed": 1}, 1.0)]
    rows = tree_rows(suite_tree(suites), (), "worst")
    assert [(row.node.name, row.depth) for row in rows] == [("bad", 0), ("test_a.py", 1), ("test_b.py", 1), ("good", 0)]
    rows = tree_rows(suite_tree(suites), ("bad", "good"), "name")
    assert [row.node.name for row in rows] == ["bad", "good", "test_0.py", "test_1.py", "test_2.py"]


def test_a_folder_with_thousands_of_files_is_shown_in_parts() -> None:
    root = suite_tree([(f"all/test_{n:04}.py", {"passed": n}, n) for n in range(5000)] + [("b.py", {"passed": 1}, 1.0)])
    rows = tree_rows(root, ("all",), "time")
    assert len(rows) == CHILDREN_SHOWN + 2
    assert rows[0].more == 5000 - CHILDREN_SHOWN
    assert rows[1].node.name == "test_4999.py"
    below = find_node(root, "all")
    assert below is not None
    assert tree_rows(below, (), "name", 4990)[-1].node.name == "test_4999.py"


def test_names_that_are_endlessly_deep_do_no_harm() -> None:
    root = suite_tree([("a/" * 5000 + "x.py", {"passed": 1}, 1.0), ("::".join("b" * 5000), {"failed": 1}, 1.0)])
    assert root.total == 2
    assert len(tree_rows(root, (), "worst")) >= 2

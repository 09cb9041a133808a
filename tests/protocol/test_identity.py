from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_semantest.protocol.identity import distinct_ids, name_of, source_name, split_params, strip_group, suite_of


@pytest.mark.parametrize(
    ("node_id", "stripped"),
    [
        ("a.py::test_x@group", "a.py::test_x"),
        ("a.py::test_x[1@2]@group", "a.py::test_x[1@2]"),
        ("a.py::test_x[a@b.org]", "a.py::test_x[a@b.org]"),
        ("me@home/a.py::test_x", "me@home/a.py::test_x"),
        ("me@home/a.py::test_x@g_h", "me@home/a.py::test_x"),
        ("a.py::test_x", "a.py::test_x"),
    ],
)
def test_strip_group(node_id: str, stripped: str) -> None:
    assert strip_group(node_id) == stripped


@given(st.lists(st.sampled_from(["a", "b", "a#2", "a#2#2", "a#3"])))
@example(["a", "a", "a#2", "a#2"])
def test_distinct_ids_are_distinct_and_in_order(names: list[str]) -> None:
    """Whatever tests are called: two under one id would be one, and the failure of one the retry of the other."""
    ids = distinct_ids(names)
    assert len(set(ids)) == len(names)
    assert all(re.fullmatch(rf"{name}(#\d+)?", one) for one, name in zip(ids, names, strict=True))
    assert [one for one, name in zip(ids, names, strict=True) if one == name] == list(dict.fromkeys(names))


def test_ids_of_tests_of_one_name_are_numbered() -> None:
    assert distinct_ids(["a", "b", "a", "a"]) == ["a", "b", "a#2", "a#3"]


@pytest.mark.parametrize(
    ("test_id", "function", "params", "suite", "name"),
    [
        ("a.py::test_x", "a.py::test_x", "", "a.py", "test_x"),
        ("a.py::test_x[1-b]", "a.py::test_x", "1-b", "a.py", "test_x[1-b]"),
        ("a.py::test_x[b[0]]", "a.py::test_x", "b[0]", "a.py", "test_x[b[0]]"),
        ("a.py::test_x[1]#2", "a.py::test_x#2", "1", "a.py", "test_x[1]#2"),
        ("a.py::T::U::test_y[c::d]", "a.py::T::U::test_y", "c::d", "a.py::T::U", "test_y[c::d]"),
        ("a[1].py::test_x", "a[1].py::test_x", "", "a[1].py", "test_x"),
        ("broken.py", "broken.py", "", "broken.py", "broken.py"),
    ],
)
def test_parts_of_an_id(test_id: str, function: str, params: str, suite: str, name: str) -> None:
    assert split_params(test_id) == (function, params)
    assert suite_of(test_id) == suite
    assert name_of(test_id) == name


def test_source_name() -> None:
    assert source_name("20261121-093000-a1b2c3", "gw0") == "20261121-093000-a1b2c3.gw0"

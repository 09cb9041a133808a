"""Names of pytest's JUnit XML are node ids again, and numbers and moments what they were."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.foreign.amounts import moment_ms, seconds_ms
from semantest_recorder.foreign.naming import settle_ids, uncertain
from semantest_recorder.foreign.python_names import node_ids
from semantest_recorder.foreign.run import ForeignAttempt, ForeignTest

_PART = st.from_regex(re.compile(r"[a-z_][a-zA-Z0-9_]{0,5}", re.ASCII), fullmatch=True)
_CLASS = st.from_regex(re.compile(r"[A-Z][a-zA-Z0-9_]{0,5}", re.ASCII), fullmatch=True)
_PARAMETERS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


def mangled(node_id: str) -> tuple[str, str]:
    """What pytest makes of a node id (``mangle_test_address`` of its junitxml)."""
    path, bracket, parameters = node_id.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    names[-1] += bracket + parameters
    return ".".join(names[:-1]), names[-1]


@given(st.lists(_PART, min_size=1, max_size=3), st.lists(st.one_of(_CLASS, _PART), max_size=2), _PART, _PARAMETERS)
def test_a_known_test_is_found_again_whatever_its_names(
    path: list[str], classes: list[str], name: str, parameters: str
) -> None:
    node_id = "::".join([f"{'/'.join(path)}.py", *classes, f"{name}[{parameters}]"])
    dotted, short = mangled(node_id)
    test = ForeignTest(node_ids(dotted, short), [ForeignAttempt("passed")])
    assert node_id in (uncertain([test]) or test.ids)
    settle_ids([test], {node_id}, set())
    assert test.test_id == node_id


@given(st.lists(_PART, min_size=1, max_size=3), st.lists(_CLASS, max_size=2), _PART, _PARAMETERS)
def test_where_nothing_is_known_classes_begin_with_a_capital(
    path: list[str], classes: list[str], name: str, parameters: str
) -> None:
    node_id = "::".join([f"{'/'.join(path)}.py", *classes, f"{name}[{parameters}]"])
    assert node_ids(*mangled(node_id))[0] == node_id


def test_a_new_test_joins_the_suite_that_is_known() -> None:
    test = ForeignTest(node_ids("tests.test_cart.describe_total", "sums"), [ForeignAttempt("passed")])
    settle_ids([test], set(), {"tests/test_cart.py::describe_total"})
    assert test.test_id == "tests/test_cart.py::describe_total::sums"


def test_xunit1_names_the_file() -> None:
    assert node_ids("a.b.test_x.describe_it", "t", "a.b/test_x.py") == ("a.b/test_x.py::describe_it::t",)


def test_same_names_are_told_apart() -> None:
    tests = [ForeignTest(("a::b",), [ForeignAttempt("passed")]) for _ in range(2)]
    settle_ids(tests, (), ())
    assert [test.test_id for test in tests] == ["a::b", "a::b#2"]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("0.012", 12.0), ("1,234.5", 1_234_500.0), ("0,015", 15.0), ("1,234,567.8", 1_234_567_800.0), ("2s", 2000.0),
     ("-1", None), ("nan", None), ("1e400", None), ("", None), (None, None), ("soon", None)],
)  # fmt: skip
def test_seconds(text: str | None, milliseconds: float | None) -> None:
    assert seconds_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T10:00:00", "2026-11-20T10:00:00.000000000Z", "2026-11-20T11:00:00+01:00", "20 Nov 2026 10:00:00 GMT",
     1_795_168_800, 1_795_168_800_000],
)  # fmt: skip
def test_moments(text: object) -> None:
    assert moment_ms(text) == 1_795_168_800_000.0
    assert moment_ms("yesterday") is None

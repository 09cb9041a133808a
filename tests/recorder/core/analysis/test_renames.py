"""Which tests are the same under another name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.renames import Rename, case_pairs, find_renames, functions_of

Tests = dict[str, str | None]


def renames(before: Tests, after: Tests) -> list[Rename]:
    was, now = functions_of(before.items()), functions_of(after.items())
    return find_renames(was, now, [name for name in was if name not in now], [name for name in now if name not in was])


def found(before: Tests, after: Tests) -> list[tuple[str, str, str]]:
    return [(rename.old, rename.new, rename.evidence) for rename in renames(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        ({"a.py::t": "1"}, {"b.py::t": "1"}, "same code, same name"),
        ({"a.py::t": "1"}, {"a.py::TestX::t": "1"}, "same code, same name"),
        ({"a.py::t": "1"}, {"a.py::u": "1"}, "same code"),
        ({"a.py::t": "1"}, {"b.py::u": "1"}, "same code"),
        ({"a.py::t": "1"}, {"b.py::t": "2"}, "same name, code changed"),
        ({"a.py::t": None}, {"b.py::t": "2"}, "same name"),
        ({"a.py::test_total": "1"}, {"a.py::test_totals": "2"}, "similar name, same place"),
    ],
)
def test_one_that_is_gone_and_one_that_is_new(before: Tests, after: Tests, evidence: str) -> None:
    ((old, new),) = zip(before, after, strict=True)
    assert found(before | {"z.py::stays": "9"}, after | {"z.py::stays": "9"}) == [(old, new, evidence)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a.py::t": "1"}, {"b.py::t": "1", "c.py::t": "1"}),  # copied twice
        ({"a.py::t": "1", "b.py::u": "1"}, {"c.py::v": "1"}),  # two had that code
        ({"a.py::t": "1", "b.py::t": None}, {"c.py::t": "2"}),  # two had that name
        ({"a.py::t": "1"}, {"a.py::quite_another": "2"}),
        ({"a.py::t[1]": "1"}, {"b.py::t[2]": "2"}),  # other cases
        ({"a.py::test_a": "1"}, {"a.py::test_b": "2", "a.py::test_c": "3"}),
    ],
)
def test_what_is_ambiguous_is_not_guessed(before: Tests, after: Tests) -> None:
    assert found(before, after) == []


def test_code_that_another_test_has_as_well_tells_nothing() -> None:
    assert found({"a.py::x": "1", "b.py::kept": "1"}, {"c.py::y": "1", "b.py::kept": "1"}) == []


def test_a_similar_name_elsewhere_in_the_file_is_another_test() -> None:
    before: Tests = {"a.py::test_total": "1", "a.py::k": "5", "a.py::l": "6"}
    after: Tests = {"a.py::k": "5", "a.py::l": "6", "a.py::test_totals": "2"}
    assert found(before, after) == []


def test_the_cases_that_both_functions_have_are_pairs() -> None:
    before: Tests = {"a.py::t[1]": "1", "a.py::t[2]": "1"}
    after: Tests = {"b.py::t[2]": "1", "b.py::t[3]": "1"}
    was, now = functions_of(before.items()), functions_of(after.items())
    assert case_pairs(renames(before, after), was, now) == {"b.py::t[2]": "a.py::t[2]"}


_TESTS = st.dictionaries(
    st.builds(
        "{}.py::test_{}{}".format,
        st.sampled_from("ab"),
        st.sampled_from(["t", "tt", "u"]),
        st.sampled_from(["", "[1]"]),
    ),
    st.sampled_from(["1", "2", "3", None]),
    max_size=8,
)


@settings(deadline=None)
@given(_TESTS, _TESTS)
def test_no_test_is_in_two_pairs_and_none_that_stayed_is_in_one(before: Tests, after: Tests) -> None:
    pairs = renames(before, after)
    olds, news = [pair.old for pair in pairs], [pair.new for pair in pairs]
    assert len(set(olds)) == len(olds)
    assert len(set(news)) == len(news)
    was, now = functions_of(before.items()), functions_of(after.items())
    assert set(olds) <= was.keys() - now.keys()
    assert set(news) <= now.keys() - was.keys()


@settings(deadline=None)
@given(_TESTS, _TESTS)
def test_the_way_back_is_as_sure(before: Tests, after: Tests) -> None:
    there = {(pair.old, pair.new, pair.confidence) for pair in renames(before, after)}
    back = {(pair.new, pair.old, pair.confidence) for pair in renames(after, before)}
    assert there == back

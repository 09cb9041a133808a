"""Which collected tests a rerun runs: the code held to the table in docs/design/rerun.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_semantest.protocol.identity import distinct_ids
from pytest_semantest.selection.candidate import Collected
from pytest_semantest.selection.owed import Owed, Told, parse_owed
from pytest_semantest.selection.rest import RUNS, rest_of

PAGE = Path(__file__).parents[2] / "docs" / "design" / "rerun.md"
CONDITIONS = ["owed", "twin is owed", "named", "changed", "below what is owed", "renamed", "all named"]


def table() -> list[tuple[int, list[str], str]]:
    """(row, conditions, runs) of the page's table."""
    text = PAGE.read_text("utf-8").partition(f"| row | {' | '.join(CONDITIONS)} | runs |")[2]
    assert text, "the table's head is not as expected"
    rows = []
    for line in text.splitlines()[2:]:
        if not line:
            break
        number, *conditions, runs = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append((int(number), conditions, runs))
    return rows


TABLE = table()
IDS = distinct_ids(
    [
        *(f"{file}::{test}" for file in ("a.py", "d/b.py") for test in ("test_1", "test_1", "test_2[x]", "test_3[x]")),
        *("d/b.py::TestC::test_4", "d/b.py::test_5[y]"),
    ]
)
PLACES = ["d", "d/b.py", "d/b.py::TestC"]
fingerprints = st.sampled_from(["", "f1", "f2", "f3"])
words = st.builds(Told, st.sampled_from(["passed", "failed", "error"]), st.booleans(), fingerprints)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Collected], Owed, set[str]]:
    """What was collected and is at hand, what is owed, and what others left out."""
    collected = {name: draw(fingerprints) for name in draw(st.lists(st.sampled_from(IDS), unique=True))}
    elsewhere = {name for name in collected if draw(st.integers(0, 4)) == 0}
    told = {name: draw(words) for name in draw(st.lists(st.sampled_from(IDS), unique=True))}
    told |= {place: Told("error", True, "") for place in draw(st.lists(st.sampled_from(PLACES), unique=True))}
    number = sum(one.owed for one in told.values())
    aliases = draw(st.dictionaries(st.sampled_from(IDS), st.lists(st.sampled_from(IDS), unique=True).map(tuple)))
    complete = draw(st.booleans())
    owed = Owed(("r",), (), (), complete, green=False, outstanding=number, tests=told, aliases=aliases)
    at_hand = [Collected(name, name.partition("::")[0], fingerprint=fp) for name, fp in collected.items()]
    return [test for test in at_hand if test.id not in elsewhere], owed, elsewhere


def features(test: Collected, at_hand: list[Collected], owed: Owed, elsewhere: set[str]) -> list[bool]:
    """The conditions of the table for one test, each from its words on the page."""
    told = owed.tests.get(test.id)
    name = test.id.split("#")[0]
    debts = [other for other, word in owed.tests.items() if word.owed]
    errors = [other for other in debts if owed.tests[other].state == "error"]
    return [
        told is not None and told.owed,
        any(other.split("#")[0] == name for other in debts),
        told is not None,
        told is not None and "" not in (told.fingerprint, test.fingerprint) and told.fingerprint != test.fingerprint,
        any(test.id.startswith((f"{place}::", f"{place}/")) for place in errors),
        is_renamed(test, at_hand, owed, elsewhere),
        owed.complete,
    ]


def is_renamed(test: Collected, at_hand: list[Collected], owed: Owed, elsewhere: set[str]) -> bool:
    def case(name: str) -> str:
        return "".join(re.findall(r"\[.*\]", name))

    there = {other.id for other in at_hand} | elsewhere
    gone = [
        other
        for other, word in owed.tests.items()
        if word.owed and other not in there and not any(name.startswith((f"{other}::", f"{other}/")) for name in there)
    ]
    new = [other for other in at_hand if other.id not in owed.tests]
    could_be = {old: [one.id for one in new if one.id in owed.aliases.get(old, ())] for old in gone}
    known = {
        old: names[0]
        for old, names in could_be.items()
        if len(names) == 1 and [other for other in gone if names[0] in could_be[other]] == [old]
    }
    if test.id in known.values():
        return True
    own = (test.fingerprint, case(test.id))
    alike = [old for old in gone if old not in known and (owed.tests[old].fingerprint, case(old)) == own]
    rivals = [one for one in new if one.id not in known.values() and (one.fingerprint, case(one.id)) == own]
    return bool(test.fingerprint) and len(alike) == 1 and rivals == [test]


def test_the_table_is_whole() -> None:
    """Its rows are numbered, and something is said for every combination."""
    assert [number for number, *_ in TABLE] == list(range(1, 9))
    for bits in range(2 ** len(CONDITIONS)):
        found = [bool(bits >> at & 1) for at in range(len(CONDITIONS))]
        assert row_for(found)
    assert {number for number, _, runs in TABLE if runs == "yes"} == RUNS


def row_for(found: list[bool]) -> int:
    said = ["yes" if holds else "no" for holds in found]
    return next(
        number
        for number, conditions, _ in TABLE
        if all(condition in ("-", word) for condition, word in zip(conditions, said, strict=True))
    )


@given(situations())
@example(
    (
        [Collected("a.py::test_2[x]", "a.py", fingerprint="f1")],
        Owed(("r",), (), (), True, False, 1, {"d/b.py::test_3[x]": Told("failed", True, "f1")}),
        set(),
    )
)
def test_each_test_is_decided_by_the_first_row_that_holds(situation: tuple[list[Collected], Owed, set[str]]) -> None:
    at_hand, owed, elsewhere = situation
    rest = rest_of(at_hand, owed, elsewhere)
    assert rest.rules == [row_for(features(test, at_hand, owed, elsewhere)) for test in at_hand]


@given(situations())
def test_what_is_owed_runs_or_is_told(situation: tuple[list[Collected], Owed, set[str]]) -> None:
    at_hand, owed, elsewhere = situation
    rest = rest_of(at_hand, owed, elsewhere)
    runs = {test.id for test, rule in zip(at_hand, rest.rules, strict=True) if rule in RUNS}
    accounted = runs | set(rest.gone) | set(rest.left_out) | set(rest.renamed)
    there = {test.id for test in at_hand} | elsewhere
    settled = {place for place in PLACES if any(name.startswith((f"{place}::", f"{place}/")) for name in there)}
    debts = {test_id for test_id, told in owed.tests.items() if told.owed}
    assert debts <= accounted | settled
    assert not set(rest.gone) & there


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"schema":2}', b"[" * 100_000, b'{"schema":1,"tests":{"a":["failed"]},"outstanding":1}']
)
def test_an_answer_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        parse_owed(content)

"""The list of quarantined tests: what is refused, and which entry a test falls under."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.quarantine import (
    Entry,
    Matcher,
    problem_of_test,
    read_quarantine,
    too_far_ahead,
    unmatched,
)

DAY = date(2026, 11, 21)
GOOD = 'test = "a.py::test_x"\nreason = "r"\nowner = "ann"\nexpires = 2026-12-20\n'


def entry(test: str, expires: date = DAY) -> Entry:
    return Entry(test, "r", "ann", expires, place="q.toml:1: entry 1")


def test_a_list_is_read_with_all_that_it_says() -> None:
    text = (
        f'schema = 1\n# why\n[[quarantine]]\n{GOOD}issue = "https://example.org/7"\nadded = 2026-11-01\n\n'
        '[[quarantine]]\ntest = "b.py"\nreason = " slow disk "\nowner = "bob"\nexpires = "2027-01-01"\n'
    )
    first, second = read_quarantine("q.toml", text.encode()).entries
    assert first == Entry(
        *("a.py::test_x", "r", "ann", date(2026, 12, 20), "https://example.org/7", date(2026, 11, 1)),
        place="q.toml:3: entry 1",
    )
    assert (second.test, second.reason, second.expires) == ("b.py", "slow disk", date(2027, 1, 1))
    assert second.place == "q.toml:11: entry 2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'[[quarantine]]\n{GOOD}reson = "x"\n', "q.toml:1: entry 1: 'reson' is no key; did you mean reason?"),
        ('[[quarantine]]\ntest = "a.py"\nreason = "r"\nowner = "o"\n', "entry 1: expires is missing"),
        (f"[[quarantine]]\n{GOOD}\n[[quarantine]]\n{GOOD}", "q.toml:7: entry 2: a.py::test_x is there twice"),
        (f"[[quarantine]]\n{GOOD}".replace("2026-12-20", "2026-12-20T10:00:00"), "expires is datetime"),
        (f"[[quarantine]]\n{GOOD}".replace("2026-12-20", '"2026-13-01"'), "it must be a date: expires = 2026-12-20"),
        (f"[[quarantine]]\n{GOOD}".replace('"r"', "7"), 'reason is 7; it must be a text: reason = "..."'),
        (f"[[quarantine]]\n{GOOD}".replace('"r"', '"  "'), "reason must be one line that says something"),
        (f"[[quarantine]]\n{GOOD}".replace('"r"', '"a\\u001b[2Jb"'), "reason must be one line"),
        (f"[[quarantine]]\n{GOOD}".replace('"ann"', f'"{"x" * 300}"'), "owner has 300 characters; 200 are the most"),
        (f"[[quarantine]]\n{GOOD}".replace("a.py::test_x", "/srv/a.py"), "relative to the rootdir"),
        (f"[[quarantine]]\n{GOOD}".replace("a.py::test_x", "**"), "every test; name files or functions"),
        (f"[quarantine]\n{GOOD}", "write [[quarantine]] above each entry"),
        (f"[[quarantines]]\n{GOOD}", "'quarantines' is no key of this file; did you mean quarantine?"),
        ("schema = 2\n", "schema is 2, and this version reads 1"),
        ("[[quarantine]\n", "q.toml: it is no TOML: "),
        (f"schema = 0x{'f' * 5000}\n", "q.toml: it cannot be read: a whole number has more than 64 bits"),
        (f"[[quarantine]]\n{GOOD}added = [0x{'f' * 5000}]\n", "a whole number has more than 64 bits"),
        (f"[[quarantine]]\n{GOOD}".replace("reason", f"reason{'.a' * 1000}"), "q.toml: it is nested too deeply"),
        (f"# why\n[a{'.a' * 100_000}]\n", "q.toml:2: too many dots: a key of so many parts takes too long to read"),
        (f"a{'.a' * 500} = 1\n" * 1000, "q.toml:1: too many dots"),
        ("\xff", "q.toml: it is not UTF-8 text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    found = read_quarantine("q.toml", text.encode("latin-1"))
    assert any(told in problem for problem in found.problems), found.problems
    assert all(problem.startswith("q.toml") and problem.isprintable() for problem in found.problems)


def test_entries_without_headings_of_their_own_are_told_by_number() -> None:
    inline = 'quarantine = [{test = "a.py", reason = """x\n[[quarantine]]""", owner = "o", expires = 2026-12-20}]'
    assert read_quarantine("q.toml", inline.encode()).problems == (
        "q.toml:2: entry 1: reason must be one line that says something",
    )
    two = f'[[quarantine]]\n{GOOD}added = "x"\n[[quarantine]]\n{GOOD}'.replace('"r"', '"""x\n[[quarantine]]"""')
    assert all(problem.startswith("q.toml: entry ") for problem in read_quarantine("q.toml", two.encode()).problems)


@pytest.mark.parametrize("test", ["*", "?*", "*.py", "*test*", "*::test_*", "*py::*", "*e*t*"])
def test_a_glob_that_fits_the_tests_of_everybody_is_refused(test: str) -> None:
    assert "every test; name files or functions" in problem_of_test(test)


@pytest.mark.parametrize("test", ["tests/*", "*/slow/*", "*::test_slow*", "*::TestCart", "test_c*", "*[[]postgres]"])
def test_a_glob_that_names_something_is_not(test: str) -> None:
    assert problem_of_test(test) == ""


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"[[quarantine]]\n{text}".encode()))
def test_no_bytes_raise(data: bytes) -> None:
    found = read_quarantine("q.toml", data)
    assert all(problem.isprintable() for problem in found.problems)


@pytest.mark.parametrize(
    ("test", "falls", "does_not"),
    [
        ("a.py::test_x[1]", ["a.py::test_x[1]"], ["a.py::test_x[2]", "a.py::test_x"]),
        ("a.py::test_x", ["a.py::test_x", "a.py::test_x[a::b]"], ["a.py::test_xy", "b/a.py::test_x"]),
        ("a.py::TestC", ["a.py::TestC::test_x[1]", "a.py::TestC::Inner::test"], ["a.py::TestCD::test_x"]),
        ("a.py", ["a.py::test_x", "a.py::TestC::test", "a.py"], ["a.pyx::test_x", "b/a.py::test"]),
        ("slow/*", ["slow/a.py::test_x", "slow/b/c.py::test_x[/]"], ["a.py::slow/test"]),
        ("slow/*.py", ["slow/a.py::test_x"], ["slow/a.txt"]),
        ("a.py::test_?", ["a.py::test_x", "a.py::test_x[12]"], ["a.py::test_xy"]),
        ("a.py::test_x[*]", ["a.py::test_x[1]", "a.py::test_x[*]"], ["a.py::test_x", "a.py::test_y[1]"]),
        ("a.py::test_x[a.b]", ["a.py::test_x[a.b]"], ["a.py::test_x[acb]"]),
    ],
)
def test_which_tests_fall_under_an_entry(test: str, falls: list[str], does_not: list[str]) -> None:
    one = entry(test)
    assert [Matcher([one]).find(test_id) for test_id in falls] == [one] * len(falls)
    assert [Matcher([one]).find(test_id) for test_id in does_not] == [None] * len(does_not)
    assert unmatched([one], falls) == []
    assert unmatched([one], does_not) == [one]


def test_the_most_exact_entry_counts() -> None:
    tests = ["*.py", "a.py", "a.py::TestC", "a.py::TestC::test_x", "a.py::TestC::test_x[1]"]
    asked = ["b.py::test", "a.py::test", "a.py::TestC::test_y", "a.py::TestC::test_x[2]", "a.py::TestC::test_x[1]"]
    matcher = Matcher([entry(test) for test in tests])
    found = [matcher.find(test_id) for test_id in asked]
    assert [one.test for one in found if one is not None] == tests


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 3650), st.integers(-400, 4000))
def test_an_entry_holds_up_to_its_day_and_not_further_ahead_than_allowed(today: date, most: int, ahead: int) -> None:
    one = entry("a.py", today + timedelta(ahead))
    assert one.is_expired(today) == (ahead < 0)
    assert bool(too_far_ahead([one], today, most)) == (ahead > most)

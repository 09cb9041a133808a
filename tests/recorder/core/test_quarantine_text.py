"""Changes to the text of a quarantine file: the rest of it stays as it stands."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.quarantine import Entry, problem_of_test, read_quarantine
from semantest_recorder.core.quarantine_text import CannotEditError, entry_text, with_entries, without_entry

DAY = date(2026, 12, 20)
FILE = """\
# Whoever changes this asks Ann.

[[quarantine]]
test = "a.py::test_a"   # since the move
reason = "r"
owner = "ann"
expires = 2026-12-20

# slow on Mondays
[[quarantine]]
test = "b.py"
reason = '''r
'''
owner = "bob"
expires = 2026-12-20
# the last line
"""
GOOD = FILE.replace("'''r\n'''", "'r'")

lines = st.text(st.characters(exclude_categories=("C", "Zl", "Zp", "Zs")), min_size=1, max_size=30)
entries = st.builds(
    Entry,
    test=lines,
    reason=lines,
    owner=lines,
    expires=st.integers(0, 5000).map(lambda days: DAY + timedelta(days)),
    issue=st.just("") | lines,
    added=st.none() | st.just(DAY),
    place=st.just(""),
)


@settings(max_examples=50)
@given(entries)
def test_an_entry_that_is_added_is_read_again_and_can_be_removed(entry: Entry) -> None:
    assume(not problem_of_test(entry.test) and entry.test not in ("a.py::test_a", "b.py"))
    added = with_entries(GOOD, [entry])
    assert added.startswith(GOOD)
    assert read_quarantine("f", added.encode()).entries[-1]._replace(place="") == entry
    removed = without_entry(added, entry.test)
    assert removed.rstrip("\n") == GOOD.rstrip("\n")


def test_a_comment_right_above_goes_with_its_entry_and_no_other() -> None:
    assert without_entry(GOOD, "b.py") == GOOD.partition("# slow on Mondays")[0]
    left = without_entry(GOOD, "a.py::test_a")
    assert left.startswith("# Whoever changes this asks Ann.\n\n# slow on Mondays\n[[quarantine]]\n")
    assert "since the move" not in left


def test_lines_end_as_those_of_the_file() -> None:
    added = with_entries(GOOD.replace("\n", "\r\n"), [Entry("c.py", "r", "o", DAY)])
    assert added.count("\r\n") == added.count("\n")
    assert with_entries("", [Entry("c.py", "r", "o", DAY)]) == entry_text(Entry("c.py", "r", "o", DAY))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FILE, "mend the file first: the file:10: entry 2: reason must be one line"),
        ('quarantine = [{test = "b.py", reason = "r", owner = "o", expires = 2026-12-20}]\n', "by hand"),
    ],
)
def test_what_cannot_be_changed_for_sure_is_left_alone(text: str, told: str) -> None:
    with pytest.raises(CannotEditError, match=told):
        without_entry(text, "b.py")
    with pytest.raises(KeyError):
        without_entry(GOOD, "c.py")
    with pytest.raises(CannotEditError, match="there twice"):
        with_entries(GOOD, [Entry("b.py", "r", "o", DAY)])
    with pytest.raises(CannotEditError, match="expires" if "owner" in told else "reason must be one line"):
        with_entries(GOOD, [Entry("c.py", " ", "o", DAY)])

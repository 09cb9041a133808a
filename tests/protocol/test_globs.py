"""Patterns for names of tests: what they match, and that nobody waits for it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.globs import glob_pattern

_WILD = {"*": ".*", "?": "."}


@settings(max_examples=50)
@given(st.text("ab.[*?\n", max_size=12), st.text("ab.[\n", max_size=12))
def test_a_star_is_any_text_and_a_question_mark_one_character(glob: str, name: str) -> None:
    plain = "".join(_WILD.get(one, re.escape(one)) for one in glob)
    assert bool(glob_pattern(glob).fullmatch(name)) == bool(re.fullmatch(plain, name, re.DOTALL))


def test_many_stars_that_fit_everywhere_are_matched_in_no_time() -> None:
    """Tried one after the other these are more ways than anybody could wait for."""
    assert not glob_pattern("*a" * 200 + "*b").fullmatch("a" * 2000)
    assert not glob_pattern("*" * 1000 + "b").fullmatch("a" * 2000)

"""Untrusted text in a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semantest_recorder.reports.inert import inert, inert_json, inert_line

_HOSTILE = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x9b[]0;m\x07\\?\u202e\u2066\r\n\u200b"))).filter(
    bool
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2\x1b\\after", "after"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("a\x1b(Bb", "ab"),
        ("a\x1bcb", "ab"),
        ("soft\u00adhyphen", "softhyphen"),
        ("back\x08space\x00nul\x7f", "backspacenul"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tnewline\n", "tab\tnewline\n"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("naïve 日本 \U0001f600", "naïve 日本 \U0001f600"),
        ("tag\U000e0041s", "tags"),
    ],
)
def test_what_becomes_of_hostile_text(text: str, expected: str) -> None:
    assert inert(text) == expected


@given(_HOSTILE)
@example("\x1b[\x1b[31m31m")
@example("\x1b]" + "a" * 5000)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    cleaned = inert(text)
    assert all(unicodedata.category(char) not in ("Cc", "Cs") or char in "\n\t" for char in cleaned)
    assert not set(cleaned) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff"
    )
    assert inert(cleaned) == cleaned
    cleaned.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "Zs", "S"])))
def test_ordinary_text_is_untouched(text: str) -> None:
    assert inert(text) == text


@given(_HOSTILE)
def test_a_line_is_one_line(text: str) -> None:
    assert len(inert_line(text).splitlines()) <= 1


def test_an_unterminated_sequence_hides_nothing_but_itself() -> None:
    assert inert("\x1b]0;" + "x" * 10_000).endswith("x" * 5_000)


@pytest.mark.hazard(35)
@pytest.mark.parametrize("unit", ["\x90", "\x9d0;", "\x9b1;", "\x1b]8;;", "\x1b\x1b[", "\x98\x9f"], ids=ascii)
def test_openings_without_an_end_cost_linear_time(unit: str) -> None:
    """Each one looked through to its bound would not end within the test's lifetime."""
    assert set(inert(unit * 600_000)) <= set("0;18]")


def test_a_string_ends_where_another_one_opens() -> None:
    assert inert("\x90lost\x9d0;title\x9cshown") == "lostshown"


@given(_HOSTILE)
@example("\x7f\x9b\u202e\u2066\u00ad\u2028\U000e0041 \u00e4\U0001f600")
def test_json_says_the_same_and_nothing_that_a_terminal_obeys(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    data = inert_json(json.dumps({text: [text]}, ensure_ascii=False).encode())
    assert json.loads(data) == {text: [text]}
    shown = data.decode()
    assert inert(shown) == shown


def test_json_of_ordinary_text_is_untouched() -> None:
    data = '{"name":"t\u00e4st \U0001f600"}'.encode()
    assert inert_json(data) == data

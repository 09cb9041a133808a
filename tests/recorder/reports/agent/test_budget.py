"""What is told when there is not room for all."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.agent.budget import Piece, Told, fit
from semantest_recorder.reports.agent.tokens import ascii_line, ascii_text, characters, tokens

_LINES = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=40)
_PIECES = st.lists(st.tuples(st.integers(0, 9), _LINES), max_size=12)


def pieces(made: list[tuple[int, str]]) -> list[Piece]:
    """Each says which one it is, so that lines can be told apart."""
    return [Piece((place, number), f"<{number}>{text}", causes=1) for number, (place, text) in enumerate(made)]


def told_in(text: str) -> set[str]:
    return {line.partition(">")[0] for line in text.split("\n") if line.startswith("<")}


@given(_PIECES, st.integers(10, 200))
def test_never_above_the_budget_and_what_is_missing_is_counted(made: list[tuple[int, str]], most: int) -> None:
    found = fit(pieces(made), lambda told: "" if told.complete else f"{len(made) - told.causes} missing", most)
    assert tokens(found) <= most
    lines = found.split("\n")
    missing = int(lines[-1].split()[0]) if lines[-1].endswith(" missing") else 0
    assert len(told_in(found)) + missing == len(made)


@given(_PIECES, st.integers(1, 200), st.integers(0, 100))
def test_a_larger_budget_tells_no_less(made: list[tuple[int, str]], most: int, more: int) -> None:
    def tail(told: Told) -> str:
        return "" if told.complete else f"told {told.causes}"

    assert told_in(fit(pieces(made), tail, most)) <= told_in(fit(pieces(made), tail, most + more))


def test_pieces_stand_in_their_places_and_more_of_them_are_not_asked_for() -> None:
    asked = []

    def endless() -> Iterator[Piece]:
        number = 0
        while True:
            asked.append(number)
            yield Piece((-number,), f"line {number}")
            number += 1

    found = fit(endless(), lambda _told: "more", 10)
    assert found == "line 2\nline 1\nline 0\nmore"
    assert len(asked) < 10


@given(st.text(max_size=50))
def test_any_text_becomes_ascii_in_which_nothing_is_hidden(text: str) -> None:
    assert ascii_text(text).isascii()
    assert all(character.isprintable() or character in "\n\t" for character in ascii_text(text))
    assert ascii_line(text).isprintable()


def test_the_rule_of_tokens() -> None:
    assert [tokens("x" * length) for length in (0, 1, 3, 4)] == [0, 1, 1, 2]
    assert tokens("x" * characters(7)) == 7
    assert ascii_line("##[stop-commands]x") == "#\\x23[stop-commands]x"
    assert ascii_line("\x1b[31mred\x1b[0m \u202eevil caf\xe9") == "red evil caf\\xe9"

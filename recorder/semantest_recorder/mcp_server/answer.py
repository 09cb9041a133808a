"""What a tool answers: a text and an object, each within the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from semantest_recorder.reports.agent.bounded import bounded
from semantest_recorder.reports.agent.brief import NOTICE
from semantest_recorder.reports.agent.budget import Piece, Told, fit
from semantest_recorder.reports.agent.tokens import ascii_line
from semantest_recorder.reports.wording import shortened

_LINE_MAX = 1000


class Answer(msgspec.Struct, frozen=True):
    """``text`` and ``structured`` are each within the budget: clients show a model one of them."""

    text: str
    structured: dict[str, Any]


def answer(title: str, lines: Iterable[str], value: msgspec.Struct, notes: list[str], most_tokens: int) -> Answer:
    """An answer whose lines all count as data; ``title`` and ``notes`` (what else should be known) come first."""

    def pieces() -> Iterator[Piece]:
        yield Piece((0,), title)
        yield Piece((1,), NOTICE)
        for number, line in enumerate([*(f"note: {note}" for note in notes), *lines], 2):
            yield Piece((number,), f"| {shortened(ascii_line(line), _LINE_MAX)}".rstrip())

    return Answer(fit(pieces(), _tail(most_tokens), most_tokens), structured(value, notes, most_tokens))


def structured(value: msgspec.Struct, notes: list[str], most_tokens: int) -> dict[str, Any]:
    """A public shape as an object within the budget, with ``notes`` if there are any."""
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return bounded(plain | ({"notes": notes} if notes else {}), most_tokens)


def _tail(most_tokens: int) -> Callable[[Told], str]:
    def tail(told: Told) -> str:
        words = f"Cut to {most_tokens} tokens: lines are left out. Ask for less, or with a larger max_tokens."
        return "" if told.complete else words

    return tail

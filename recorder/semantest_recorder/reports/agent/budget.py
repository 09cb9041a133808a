"""Which pieces of a text are told when there is not room for all: the first ones, and what the others are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from semantest_recorder.reports.agent.tokens import characters


class Piece(msgspec.Struct, frozen=True):
    """Whole lines of ASCII, which stand in the text where ``place`` sorts them.

    ``causes`` and ``tests``: how many of these it names.
    """

    place: tuple[int, ...]
    text: str
    causes: int = 0
    tests: int = 0


class Told(msgspec.Struct, frozen=True):
    """How many causes and tests are named, and whether these are all pieces."""

    causes: int = 0
    tests: int = 0
    complete: bool = False


def fit(pieces: Iterable[Piece], tail: Callable[[Told], str], most_tokens: int) -> str:
    """As many of ``pieces``, the most valuable first, as ``most_tokens`` hold together with their ``tail``.

    ``tail`` gives the last lines, which say what is missing; empty for none. ``pieces`` are asked for only while there
    is room. With a larger budget nothing that was told before is missing. Only a tail that has no room by itself is
    cut.
    """
    most = characters(most_tokens)
    taken: list[Piece] = []
    told, size = Told(), 0
    best, last = 0, tail(told)
    for piece in pieces:
        size += len(piece.text) + 1
        if size > most:
            break
        taken.append(piece)
        told = Told(told.causes + piece.causes, told.tests + piece.tests)
        words = tail(told)
        if size + len(words) <= most:
            best, last = len(taken), words
    else:
        words = tail(Told(told.causes, told.tests, complete=True))
        if size + len(words) <= most:
            best, last = len(taken), words
    lines = [piece.text for piece in sorted(taken[:best], key=lambda piece: piece.place)]
    return "\n".join([*lines, last] if last else lines)[:most]

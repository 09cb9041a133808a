"""Cursors of pages: where one ended, and of which question it is (pure)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar
from zlib import crc32

import msgspec

from semantest_recorder.store.run_list import Place

#: A cursor goes into an address, and ids of tests may be long: of a text it holds the beginning.
TEXT_MAX = 200


class InvalidCursor(ValueError):  # noqa: N818 - named for what it says about its argument
    """A cursor that was not given out, or for another question."""


class NoCursor(InvalidCursor):
    """A text that was not given out."""

    def __init__(self) -> None:
        super().__init__("this is no cursor: take `next` of the page before, as it is")


T = TypeVar("T", bound=tuple[Any, ...])


def cursor_of(place: Place, *question: object) -> str:
    """What :func:`place_of` takes with the same ``question``: filters and order of a list; 2,000 characters at most.

    Of a key that is a text only the beginning comes back: see ``store.known_tests.place_of_test``.
    """
    key = place.key[:TEXT_MAX] if isinstance(place.key, str) else place.key
    return sealed(Place(key, place.tie), *question)


def place_of(cursor: str | None, *question: object) -> Place | None:
    """The place behind which the page begins, ``None`` for the first page. Raises ``InvalidCursor``."""
    if cursor is None:
        return None
    found = opened(cursor, Place, *question)
    if not -(2**63) <= found.tie < 2**63:
        raise NoCursor
    return found


def sealed(place: tuple[float | str, ...], *question: object) -> str:
    """A place of any kind as a cursor, which :func:`opened` opens with the same ``question``."""
    told = msgspec.json.encode([_digest(question), *place])
    return urlsafe_b64encode(told).rstrip(b"=").decode()


def opened(cursor: str, kind: type[T], *question: object) -> T:
    """The place, a named tuple, in a cursor. Raises ``InvalidCursor``."""
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        told, *place = msgspec.json.decode(text, type=list[float | int | str])
        found: T = msgspec.convert(place, kind)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, too
        raise NoCursor from None
    if told != _digest(question):
        raise InvalidCursor("this cursor is one of another question: ask with the filters and the order of its page")
    return found


def _digest(question: tuple[object, ...]) -> int:
    return crc32(repr(question).encode("utf-8", "surrogatepass"))

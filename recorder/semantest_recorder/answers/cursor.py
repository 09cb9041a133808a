"""Cursors of pages: where one ended, and of which question it is (pure)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from zlib import crc32

import msgspec

from semantest_recorder.store.run_list import Place

#: A cursor goes into an address, and ids of tests may be long: of a text it holds the beginning.
_TEXT_MAX = 200


class InvalidCursor(ValueError):  # noqa: N818 - named for what it says about its argument
    """A cursor that was not given out, or for another question."""


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    question: int
    key: float | str
    tie: int


def cursor_of(place: Place, *question: object) -> str:
    """What :func:`place_of` takes with the same ``question``: filters and order of a list; 2,000 characters at most.

    Of a key that is a text only the beginning comes back: see ``store.known_tests.place_of_test``.
    """
    key = place.key[:_TEXT_MAX] if isinstance(place.key, str) else place.key
    told = msgspec.json.encode(_Cursor(_digest(question), key, place.tie))
    return urlsafe_b64encode(told).rstrip(b"=").decode()


def place_of(cursor: str | None, *question: object) -> Place | None:
    """The place behind which the page begins, ``None`` for the first page. Raises ``InvalidCursor``."""
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        found = msgspec.json.decode(text, type=_Cursor)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, too
        raise InvalidCursor("this is no cursor: take `next` of the page before, as it is") from None
    if found.question != _digest(question):
        raise InvalidCursor("this cursor is one of another question: ask with the filters and the order of its page")
    if not -(2**63) <= found.tie < 2**63:
        raise InvalidCursor("this is no cursor: take `next` of the page before, as it is")
    return Place(found.key, found.tie)


def _digest(question: tuple[object, ...]) -> int:
    return crc32(repr(question).encode("utf-8", "surrogatepass"))

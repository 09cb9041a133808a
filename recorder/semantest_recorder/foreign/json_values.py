"""JSON of others: documents, lines, and values that may be of any type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from semantest_recorder.foreign.decoding import sayable, text_of
from semantest_recorder.foreign.errors import Problem, UnreadableError


def read_document(data: bytes, salvaged: str) -> tuple[dict[str, Any], Problem | None]:
    """The object that a file holds, and why not all of it could be read.

    Of one that is cut off or damaged there is what stands whole in its list ``salvaged``, and nothing else. Raises
    ``UnreadableError`` when there is no object.
    """
    text = text_of(data)
    try:
        found = json.loads(text)
    except RecursionError:
        raise UnreadableError("the JSON is nested too deeply") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        reason = f"no JSON from here on: {getattr(error, 'msg', error)}"
        rest = list(_whole_objects(text, salvaged))
        if not rest:
            raise UnreadableError(reason, line) from None
        return {salvaged: rest}, Problem(reason, line)
    if not isinstance(found, dict):
        raise UnreadableError(f"it holds no JSON object but {type(found).__name__}")
    return found, None


def _whole_objects(text: str, name: str) -> Iterator[dict[str, Any]]:
    """The objects of the list ``name``, up to the first that is not whole."""
    start = re.search(rf'"{name}"\s*:\s*\[', text)
    decoder, at = json.JSONDecoder(), start.end() if start else len(text)
    while at < len(text):
        at = _behind_blanks(text, at)
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        if isinstance(found, dict):
            yield found
        at = _behind_blanks(text, at)
        if text[at : at + 1] != ",":
            return
        at += 1


def _behind_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def mapping(value: object) -> dict[str, Any]:
    """The object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A text that is not empty, with lone surrogates, which JSON can name and UTF-8 cannot hold, spelled out."""
    return sayable(value) if isinstance(value, str) and value else None


def whole(value: object) -> int | None:
    """A whole number that fits where numbers of lines are kept."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else None


def counted(value: object, *, from_zero: bool = False) -> int | None:
    """The number of a line, counted from 1; ``from_zero``: the file counts from 0."""
    found = whole(value)
    if found is None or found < 0:
        return None
    return found + 1 if from_zero else found

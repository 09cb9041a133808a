"""Users' values as JSON of a bounded size, without running a line of theirs.

What a test hands over may lie about its class, contain itself, iterate for ever or raise when it is printed. So only
the real type counts, the methods called are those of the built-in types, and one budget bounds the whole value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

_DEPTH = 6
_ITEMS = 100
_ALL_ITEMS = 1000
_TEXT = 4000
_ALL_TEXT = 100_000
_PARAMETER = 200

#: ``text(value, limit)``: redacted and cut to ``limit`` characters.
Clip = Callable[[str, int], str]


class _Budget:
    """What is left for one value: items and characters."""

    def __init__(self) -> None:
        self.items = _ALL_ITEMS
        self.text = _ALL_TEXT


def plain(value: Any, clip: Clip) -> object:
    """A user property as JSON, cut to a size; anything unusual becomes its type's name."""
    return _plain(value, clip, _Budget(), 0)


def properties(entries: Iterable[Any], clip: Clip) -> list[list[object]]:
    """``[[name, value], ...]`` of user properties; one that is no pair goes by the name of its type."""
    found = []
    for entry in islice(entries, _ITEMS):
        if type(entry) in (tuple, list) and len(entry) == 2:
            name, value = entry
        else:
            name, value = type(entry).__name__, entry
        found.append([_name(name, clip), plain(value, clip)])
    return found


def parameter(value: Any, clip: Clip) -> str:
    """A parameter as text, as ``repr`` shows plain values."""
    kind = type(value)
    if issubclass(kind, bytes):
        return f"b{clip(bytes.decode(value, 'latin-1'), _PARAMETER)!r}"
    if issubclass(kind, str):
        # Redacted as it is, since repr may hide a secret behind backslashes, and before it is cut.
        return repr(clip(str.__str__(value), _PARAMETER))
    if kind in (float, bool, type(None)):
        return repr(value)
    if kind is int:
        return str(_integer(value))
    if kind in (tuple, list, set, frozenset, dict) and len(value) <= 10:
        return clip(str(plain(value, clip)), _PARAMETER)
    return _type_name(kind)


def cut_down(value: Any, limit: int) -> Any:
    """JSON-like ``value`` with texts of at most ``limit`` characters, for an event that came out too large."""
    if isinstance(value, str):
        return value if len(value) <= limit else f"{value[:limit]}... [{len(value) - limit} characters left out]"
    if isinstance(value, dict):
        return {key: cut_down(item, limit) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cut_down(item, limit) for item in value[:_ITEMS]]
    return value


def _plain(value: Any, clip: Clip, budget: _Budget, depth: int) -> object:
    kind = type(value)
    budget.items -= 1
    if kind in (bool, type(None)):
        return value
    if kind is int:
        return _integer(value)
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if issubclass(kind, str):
        text = clip(str.__str__(value), min(_TEXT, max(budget.text, 1)))
        budget.text -= len(text)
        return text
    if depth < _DEPTH and budget.items > 0 and budget.text > 0:
        for container in (list, tuple, set, frozenset):
            if issubclass(kind, container):
                return [_plain(item, clip, budget, depth + 1) for item in _some(container.__iter__(value), budget)]
        if issubclass(kind, dict):
            items: Iterable[tuple[object, object]] = dict.items(value)
            return {_name(key, clip): _plain(item, clip, budget, depth + 1) for key, item in _some(items, budget)}
    return _type_name(kind)


def _some(items: Iterable[Any], budget: _Budget) -> Iterable[Any]:
    for item in islice(items, _ITEMS):
        if budget.items <= 0 or budget.text <= 0:
            return
        yield item


def _name(value: Any, clip: Clip) -> str:
    kind = type(value)
    if issubclass(kind, str):
        return clip(str.__str__(value), _PARAMETER)
    return str(_integer(value)) if kind is int else _type_name(kind)


def _integer(value: int) -> int | str:
    """A number that every reader of JSON can hold, else its digits; Python refuses to print more than 4,300."""
    if -(2**63) <= value < 2**63:
        return value
    return str(value)[:_PARAMETER] if value.bit_length() <= 10_000 else f"<int of {value.bit_length()} bits>"


def _type_name(kind: type) -> str:
    return f"<{kind.__module__}.{kind.__qualname__}>"

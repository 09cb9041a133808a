"""Structured answers within a budget of tokens: long lists and texts are cut, and what is missing is counted."""

from __future__ import annotations

import json
from typing import Any, Final

from semantest_recorder.reports.agent.tokens import tokens
from semantest_recorder.reports.inert import inert

#: What is tried one after another: entries of a list, characters of a text.
_LIMITS: Final = (
    *((None, None), (200, 2000), (100, 1000), (50, 500), (20, 300), (10, 200), (5, 160), (3, 120), (2, 80), (1, 60)),
)
_LEFT_OUT: Final = "leftOut"


def bounded(value: dict[str, Any], most_tokens: int) -> dict[str, Any]:
    """``value``, of JSON's types, as JSON in ASCII of at most so many tokens.

    Where entries of a list are missing ``leftOut`` counts them, by the names that lead to it. A text that was cut ends
    with ``...``. Control, direction and invisible characters are left out of texts. An object for which no limit is low
    enough is ``{"leftOut": {"": n}}`` with the number of its names.
    """
    for entries, characters in _LIMITS:
        left_out: dict[str, int] = {}
        found = {name: _cut(held, entries, characters, name, left_out) for name, held in value.items()}
        if left_out:
            found[_LEFT_OUT] = left_out
        if tokens(json.dumps(found)) <= most_tokens:
            return found
    return {_LEFT_OUT: {"": len(value)}}


def _cut(value: Any, entries: int | None, characters: int | None, name: str, left_out: dict[str, int]) -> Any:
    if isinstance(value, str):
        text = inert(value)
        return text if characters is None or len(text) <= characters else f"{text[:characters]}..."
    if isinstance(value, dict):
        return {
            inert(key): _cut(held, entries, characters, f"{name}.{inert(key)}", left_out) for key, held in value.items()
        }
    if not isinstance(value, list):
        return value
    kept = value if entries is None else value[:entries]
    if len(kept) < len(value):
        left_out[name] = left_out.get(name, 0) + len(value) - len(kept)
    return [_cut(held, entries, characters, name, left_out) for held in kept]

"""Chosen fields: only some of an answer, or of each entry of its list (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

import msgspec

from semantest_recorder.server.query import InvalidQuery, nearest_of


def entry_type(answer: type[msgspec.Struct], entries: str) -> type[msgspec.Struct]:
    """The type of an entry of the list called ``entries``, or of the struct of this name."""
    hint = get_type_hints(answer)[entries]
    found: type[msgspec.Struct] = next(iter(get_args(hint)), hint)
    return found


def field_names(answer: type[msgspec.Struct], entries: str) -> list[str]:
    """What can be chosen of an entry."""
    return [field.encode_name for field in msgspec.structs.fields(entry_type(answer, entries))]


def check_fields(answer: type[msgspec.Struct], entries: str, chosen: Sequence[str]) -> None:
    """Raises ``InvalidQuery`` for a field that there is not."""
    known = field_names(answer, entries)
    for name in chosen:
        if name not in known:
            raise InvalidQuery(f"there is no field {name[:100]!r}{nearest_of(name, known)}")


def with_fields(answer: msgspec.Struct, entries: str, chosen: Sequence[str]) -> dict[str, Any]:
    """The answer as JSON holds it, its entries with the ``chosen`` fields only."""
    told: dict[str, Any] = msgspec.to_builtins(answer)
    found = told[entries]
    if isinstance(found, list):
        told[entries] = [_chosen(entry, chosen) for entry in found]
    else:
        told[entries] = _chosen(found, chosen)
    return told


def _chosen(entry: dict[str, Any], chosen: Sequence[str]) -> dict[str, Any]:
    return {name: entry[name] for name in chosen if name in entry}

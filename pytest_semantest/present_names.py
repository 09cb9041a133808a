"""What tests that are gone may be called now, as far as names alone can tell. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

#: How alike two names have to be (``difflib``), of 1.
_ALIKE = 0.6


def present_names(gone: Iterable[str], names: Iterable[str]) -> dict[str, str | None]:
    """By what is ``gone`` (tests, functions, classes, files): which of ``names`` it most likely is, if one is near.

    It was moved when just one has its name in another place; else it has the name that is most like its own in its own
    place. Nothing is guessed over both at once.
    """
    parts_of = {name: _parts(name) for name in gone}
    places = tuple({place for _, place, _ in parts_of.values()})
    owns = tuple({own for _, _, own in parts_of.values()})
    elsewhere: dict[tuple[_Kind, str], list[str]] = defaultdict(list)
    beside: dict[tuple[_Kind, str], list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        if not name.endswith(owns) and not name.startswith(places):
            continue  # of a hundred thousand tests these are nearly all
        kind, place, own = _parts(name)
        elsewhere[kind, own].append(name)
        beside[kind, place].append(name)
    found: dict[str, str | None] = {}
    for name, (kind, place, own) in parts_of.items():
        moved = elsewhere[kind, own]
        found[name] = moved[0] if len(moved) == 1 else _most_alike(own, beside[kind, place])
    return found


class _Kind(NamedTuple):
    """How deep a name is in its file, and whether it has parameters."""

    depth: int
    with_params: bool


def _parts(name: str) -> tuple[_Kind, str, str]:
    """What kind of name it is, what it is in, and what it is called there."""
    file, separator, rest = name.partition("::")
    head = rest.partition("[")[0]
    place, between, _last = (file + separator + head).rpartition("::" if separator else "/")
    return _Kind(head.count("::") + bool(separator), "[" in rest), place, name[len(place) + len(between) :]


def _most_alike(own: str, names: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - few need it

    by_words = {_words(_parts(name)[2]): name for name in names}
    near = get_close_matches(_words(own), by_words, 1, _ALIKE)
    return by_words[near[0]] if near else None


def _words(name: str) -> str:
    """The words of the name in one order, without what all share."""
    return "_".join(sorted(name.removesuffix(".py").removeprefix("test").strip("_").split("_")))

"""From the query of a URL to the struct that a route asks for (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

#: Longer text is no name of anything.
_TEXT_MAX = 2000
_NEAR = 0.5


class NoParameters(msgspec.Struct):
    """Of a route that has none."""


class InvalidQuery(ValueError):  # noqa: N818 - named for what it says about its argument
    """A query that the route does not take; the text says which parameter and what would be right."""


def read_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """The parameters as ``kind`` has them; those that are lists may be repeated, or have commas in one value.

    Raises ``InvalidQuery``.
    """
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            raise InvalidQuery(f"there is no parameter {name[:100]!r}{nearest_of(name, known)}")
        if len(value) > _TEXT_MAX:
            raise InvalidQuery(f"{name} is longer than {_TEXT_MAX} characters")
        if is_list(known[name]):
            several = [part for part in value.split(",") if part] if splits(known[name]) else [value]
            found.setdefault(name, []).extend(several)
        elif name in found:
            raise InvalidQuery(f"{name} is given twice")
        elif value.lower() == "null" and not _is_text(known[name]):  # msgspec would take it for none
            raise InvalidQuery(f"{name} 'null' is none: leave it out")
        else:
            found[name] = value
    for name, told in found.items():
        _check_choice(name, told if isinstance(told, list) else [told], choices_of(known[name]))
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidQuery(str(error).replace("`$.", "`")) from None


def nearest_of(name: str, known: Iterable[str]) -> str:
    """What to say behind a name that nobody knows: the nearest one, or all that there are."""
    names = list(known)
    near = difflib.get_close_matches(name[:100], names, 1, _NEAR)
    if near:
        return f": did you mean {near[0]!r}?"
    return f"; there are {', '.join(names)}" if names else "; there are none"


def choices_of(kind: Any) -> tuple[str, ...]:
    """The texts of which a parameter of this type takes one; none: it takes others."""
    if get_origin(kind) is Literal:
        return tuple(str(choice) for choice in get_args(kind))
    return next((found for part in get_args(kind) if (found := choices_of(part))), ())


def is_list(kind: Any) -> bool:
    """Whether a parameter of this type may be repeated."""
    return get_origin(_bare(kind)) is list


def splits(kind: Any) -> bool:
    """Whether values of such a list may stand in one, with commas: not where they may hold one themselves."""
    return any(isinstance(part, msgspec.Meta) and part.extra == {"commas": True} for part in get_args(kind))


def _is_text(kind: Any) -> bool:
    return _bare(kind) is str or any(map(_is_text, get_args(kind)))


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _check_choice(name: str, told: list[str], choices: tuple[str, ...]) -> None:
    for one in told:
        if choices and one not in choices:
            raise InvalidQuery(f"{name} {one[:100]!r} is none{nearest_of(one, choices)}")

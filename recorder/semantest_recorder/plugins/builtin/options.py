"""Options of a built-in plugin, read into a struct; what it has not is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class InvalidOptions(ValueError):  # noqa: N818 - named for what it says about its argument
    """Options that a plugin cannot use; the text says which and what would be right."""


def read_options(given: Mapping[str, Any], kind: type[S]) -> S:
    """The options as ``kind``; names are written with ``-`` or ``_``. Raises ``InvalidOptions``."""
    known = [field.name for field in msgspec.structs.fields(kind)]
    options = {name.replace("-", "_"): value for name, value in given.items()}
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise InvalidOptions(f"no option {name!r}; {hint}")
    try:
        return msgspec.convert(options, kind)
    except msgspec.ValidationError as error:
        raise InvalidOptions(str(error)) from None
    except UnicodeEncodeError:  # those of an embedded recorder may come from anywhere
        raise InvalidOptions("the options hold a text that is not UTF-8") from None


def read_patterns(given: Iterable[str]) -> list[re.Pattern[str]]:
    """The regular expressions. Raises ``InvalidOptions`` naming the first that is none."""
    found = []
    for pattern in given:
        try:
            found.append(re.compile(pattern))
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidOptions(f"{pattern!r} is no regular expression: {error}") from None
    return found

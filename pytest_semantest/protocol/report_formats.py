"""The formats of reports, by the names under which pytest and ``semantest export`` take them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FORMATS: Final = (
    *("html", "json", "junit", "junit-xunit1", "ctrf", "markdown", "agent", "csv", "pytest-json-report", "reportlog"),
)


def unknown_format(name: str, formats: Sequence[str] = FORMATS) -> str:
    """What is said of a name that is no format's, with the nearest that is."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    near = get_close_matches(name, formats, n=1, cutoff=0.4)
    hint = f": did you mean {near[0]!r}?" if near else "."
    return f"there is no format {name!r}{hint} Formats: {', '.join(formats)}."

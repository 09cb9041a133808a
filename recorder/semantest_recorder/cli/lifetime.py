"""How long something is to hold, on the command line: ``90d``."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
#: A hundred years.
_MOST_S = 36_525 * 86_400


class Lifetime(click.types.StringParamType):
    """A whole number with a unit; the value is seconds."""

    name = "lifetime"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The seconds."""
        found = re.fullmatch(r"(\d{1,12}) ?([smhdw])", str(value).strip())
        seconds = int(found[1]) * _UNITS[found[2]] if found else 0
        if not 0 < seconds <= _MOST_S:
            self.fail(f"{value!r} is no lifetime such as 90d, 12h or 30m.", param, ctx)
        return seconds

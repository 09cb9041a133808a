"""A number of seconds on the command line."""

from __future__ import annotations

import math
from typing import Any

import click

#: Ten years: what waits longer waits for ever, and operating systems refuse much more.
_MOST = 10 * 365 * 86_400


class Seconds(click.FloatRange):
    """Zero or more seconds; not "nan", with which every comparison fails, and none that no clock can wait for."""

    name = "number of seconds"

    def __init__(self) -> None:
        super().__init__(min=0, max=_MOST)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does it, without "nan"."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds

    def _describe_range(self) -> str:
        return "x>=0"

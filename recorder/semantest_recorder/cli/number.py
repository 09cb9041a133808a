"""Numbers on the command line."""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.IntRange):
    """As click has it, under a name that people use: it stands in the message for what is none."""

    name = "number"


class Factor(click.FloatRange):
    """A number that need not be whole, from 0 up."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does it, saying what is wanted; "nan" is none."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            self.fail(f"{value!r} is no factor: give a number from 0 up, such as 1 or 0.5", param, ctx)
        return number


class Percent(click.FloatRange):
    """A number from 0 to 100."""

    name = "percent"

    def __init__(self) -> None:
        super().__init__(min=0, max=100)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does it, with or without the sign; "nan" is none."""
        try:
            number = float(str(value).removesuffix("%"))
        except ValueError:
            number = math.nan
        if not 0 <= number <= 100:
            self.fail(f"{value!r} is no share: give a number from 0 to 100", param, ctx)
        return number

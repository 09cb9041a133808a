"""The name of a format on the command line."""

from __future__ import annotations

import difflib
from typing import Any

import click

from semantest_recorder.reports.exporters.formats import FORMATS


class FormatName(click.Choice[str]):
    """As click has it; a name that is none is told the nearest."""

    def __init__(self) -> None:
        super().__init__(list(FORMATS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of a format."""
        if value not in FORMATS:
            near = difflib.get_close_matches(str(value), FORMATS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            self.fail(f"there is no format {value!r}: {hint}Formats: {', '.join(FORMATS)}.", param, ctx)
        return str(value)

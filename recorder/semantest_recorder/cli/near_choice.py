"""A name out of several on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    Choice = click.Choice[str]
else:
    Choice = click.Choice  # in older releases of click it takes no type


class NearChoice(Choice):
    """As click has it; ``what`` it is a choice of is said to a name that is none, with the nearest."""

    def __init__(self, what: str, names: Iterable[str]) -> None:
        super().__init__(list(names))
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """One of the names."""
        names = [str(name) for name in self.choices]
        if value not in names:
            near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.4)
            hint = f": did you mean {near[0]!r}?" if near else "."
            known = f"{self._what.capitalize()}s: {', '.join(names)}."
            self.fail(f"there is no {self._what} {value!r}{hint} {known}", param, ctx)
        return str(value)

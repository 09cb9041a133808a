"""The id of a run that is to be, on the command line."""

from __future__ import annotations

from typing import Any

import click

_MOST = 200


class RunIdName(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """One line of visible characters."""

    name = "run id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id."""
        text = str(value)
        if not text.strip() or len(text) > _MOST or not text.isprintable():
            self.fail(f"it is to be 1 to {_MOST} visible characters.", param, ctx)
        return text

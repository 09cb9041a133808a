"""A label on the command line: ``KEY=VALUE``."""

from __future__ import annotations

from typing import Any

import click


class Label(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A pair of texts."""

    name = "label"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The key and the value; the key may not be empty."""
        if isinstance(value, tuple):
            return value
        key, separator, text = str(value).partition("=")
        if not separator or not key.strip():
            self.fail(f"{value!r} is no KEY=VALUE, such as os=linux", param, ctx)
        return key.strip(), text.strip()

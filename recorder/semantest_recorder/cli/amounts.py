"""Times and sizes on the command line: ``30d``, ``1GB``."""

from __future__ import annotations

from typing import Any

import click

from semantest_recorder.core.amounts import bytes_of, milliseconds_of


class Age(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A length of time, in milliseconds: a number with its unit."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """``30d`` and the like; fails for what has no unit."""
        if isinstance(value, float):
            return value
        found = milliseconds_of(str(value))
        if found is None:
            self.fail(f"{value!r} is no time: give a number with s, m, h, d or w, such as 15m or 30d", param, ctx)
        return found


class Bytes(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A number of bytes: ``500MB``, ``2GiB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """``1GB`` is 10^9 bytes, ``1GiB`` 2^30; without a unit it is bytes."""
        if isinstance(value, int):
            return value
        found = bytes_of(str(value))
        if found is None:
            self.fail(f"{value!r} is no size: give a number with kB, MB, GB, KiB, MiB or GiB, such as 1GB", param, ctx)
        return found


class Grouping(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """By what runs are counted together."""

    name = "grouping"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``branch``, ``name`` or ``label:KEY``."""
        text = str(value)
        if text not in ("branch", "name") and not (text.startswith("label:") and text != "label:"):
            self.fail(f"{value!r} is no grouping: give branch, name or label:KEY", param, ctx)
        return text

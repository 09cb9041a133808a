"""Times and sizes on the command line: ``30d``, ``1GB``."""

from __future__ import annotations

import re
from typing import Any

import click

_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]*)", re.ASCII)
_MS = {"s": 1000.0, "m": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0, "w": 7 * 86_400_000.0}
_BYTES = {
    **{unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}


class Age(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A length of time, in milliseconds: a number with its unit."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """``30d`` and the like; fails for what has no unit."""
        if isinstance(value, float):
            return value
        found = _AMOUNT.fullmatch(str(value).strip())
        factor = _MS.get(found[2]) if found else None
        if found is None or factor is None:
            self.fail(f"{value!r} is no time: give a number with s, m, h, d or w, such as 15m or 30d", param, ctx)
        return float(found[1]) * factor


class Bytes(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A number of bytes: ``500MB``, ``2GiB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """``1GB`` is 10^9 bytes, ``1GiB`` 2^30; without a unit it is bytes."""
        if isinstance(value, int):
            return value
        found = _AMOUNT.fullmatch(str(value).strip())
        factor = _BYTES.get(found[2].lower() or "b") if found else None
        if found is None or factor is None:
            self.fail(f"{value!r} is no size: give a number with kB, MB, GB, KiB, MiB or GiB, such as 1GB", param, ctx)
        return int(float(found[1]) * factor)


class Grouping(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """By what runs are counted together."""

    name = "grouping"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """``branch``, ``name`` or ``label:KEY``."""
        text = str(value)
        if text not in ("branch", "name") and not (text.startswith("label:") and text != "label:"):
            self.fail(f"{value!r} is no grouping: give branch, name or label:KEY", param, ctx)
        return text

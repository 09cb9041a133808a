"""A moment on the command line."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(\d{1,9})([smhdw])")


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """``now``, an age such as ``15m`` or ``2h``, a date or time (ISO 8601, UTC unless it says otherwise).

    Gives milliseconds since the epoch.
    """

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As click wants it."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        if text == "now":
            return time.time() * 1000
        ago = _AGO.fullmatch(text)
        if ago:
            return (time.time() - int(ago[1]) * _UNITS[ago[2]]) * 1000
        try:
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time; give now, 15m, 2h, 3d, 2026-11-21 or 2026-11-21T09:30", param, ctx)

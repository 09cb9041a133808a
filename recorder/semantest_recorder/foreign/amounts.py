"""Durations and moments as tools write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Durations beyond it are no measurement: a hundred years.
_LONGEST_MS = 100 * 366 * 86_400_000.0
#: Moments after the year 9999 are none.
_LAST_MS = 253_402_300_800_000.0
_FRACTION = re.compile(r"(\.\d{6})\d+")


def seconds_ms(text: str | None) -> float | None:
    """Milliseconds for seconds such as ``0.012``, ``1,234.5`` (thousands) and ``0,012`` (a decimal comma).

    ``None`` for what is no number, negative or beyond reason.
    """
    if not text:
        return None
    text = text.strip().removesuffix("s")
    if "," in text:
        text = text.replace(",", "") if "." in text or text.count(",") > 1 else text.replace(",", ".")
    try:
        return duration_ms(float(text) * 1000)
    except ValueError:
        return None


def duration_ms(value: object) -> float | None:
    """A duration that is one, to the microsecond; else ``None``."""
    number = _finite(value)
    return round(number, 3) if number is not None and 0 <= number <= _LONGEST_MS else None


def moment_ms(value: object) -> float | None:
    """The moment that a text (ISO 8601, or a date as in mail) or a number names; ``None`` when it is none.

    A time without a zone is taken for UTC: a file tells nothing of the clock of its machine, and the same file has to
    give the same moment everywhere. Numbers are seconds when they are small, milliseconds else.
    """
    if isinstance(value, str):
        return _moment_of_text(value.strip())
    number = _finite(value)
    if number is None:
        return None
    milliseconds = number * 1000 if abs(number) < 1e11 else number
    return round(milliseconds, 3) if 0 < milliseconds < _LAST_MS else None


def _finite(value: object) -> float | None:
    """A number as a float; ``None`` for anything else, and for whole numbers (of any length in JSON) beyond floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment_of_text(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return moment_ms(found.timestamp() * 1000 or None)
    except (ValueError, OverflowError, OSError):
        return None

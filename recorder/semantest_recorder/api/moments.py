"""Moments and lengths of time as they stand in URLs (pure)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from semantest_recorder.server.query import InvalidQuery

_MS: Final = {"s": 1000.0, "m": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0, "w": 7 * 86_400_000.0}
#: ``30d``; ``2026-11-21``, ``2026-11-21T09:30:00Z``.
AGE: Final = r"^[0-9]{1,6}[smhdw]$"
MOMENT: Final = (
    r"^([0-9]{1,6}[smhdw]|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)$"
)


def age_ms(text: str) -> float:
    """The length of time that ``AGE`` describes, in milliseconds."""
    return float(text[:-1]) * _MS[text[-1]]


def since_age(text: str, now_ms: float) -> float:
    """When that time began, in milliseconds since the epoch: at a full minute, so that answers can be kept."""
    return (now_ms - age_ms(text)) // 60_000 * 60_000


def moment_ms(text: str, now_ms: float) -> float:
    """The moment that ``MOMENT`` describes, in milliseconds since the epoch; without a zone it is UTC.

    Raises ``InvalidQuery`` for a day or an hour that there is not.
    """
    if text[-1] in _MS:
        return since_age(text, now_ms)
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp() * 1000
    except (ValueError, OverflowError) as error:
        raise InvalidQuery(f"{text!r} is no moment ({error}): give 2026-11-21, 2026-11-21T09:30:00Z or 30d") from None

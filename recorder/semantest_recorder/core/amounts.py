"""Lengths of time and sizes as people write them: ``30d``, ``1GB``."""

from __future__ import annotations

import re
from typing import Final

_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]*)", re.ASCII)
_MS: Final = {"s": 1000.0, "m": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0, "w": 7 * 86_400_000.0}
_BYTES: Final = {
    **{unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}


def milliseconds_of(text: str) -> float | None:
    """The length of time in milliseconds; ``None`` for what is none, or has no unit."""
    found = _AMOUNT.fullmatch(text.strip())
    factor = _MS.get(found[2]) if found else None
    return None if found is None or factor is None else float(found[1]) * factor


def bytes_of(text: str) -> int | None:
    """The size in bytes, which it is without a unit, too: ``1GB`` is 10^9, ``1GiB`` 2^30. ``None`` for what is none."""
    found = _AMOUNT.fullmatch(text.strip())
    factor = _BYTES.get(found[2].lower() or "b") if found else None
    return None if found is None or factor is None else int(float(found[1]) * factor)

"""The error that is behind most failures of a test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


def commonest_error(errors: Sequence[tuple[str | None, str]]) -> tuple[str | None, str, int] | None:
    """Type, message and number of the commonest of ``errors`` (type, message), which come the earliest first.

    Errors that differ in numbers only are the same; the message is that of the newest. Of equally common ones the
    newest is taken. ``None`` without any.
    """
    alike = [(kind, _NUMBER.sub("N", message)) for kind, message in errors]
    counts = Counter(alike)
    if not counts:
        return None
    newest = max(range(len(errors)), key=lambda place: (counts[alike[place]], place))
    return (*errors[newest], counts[alike[newest]])

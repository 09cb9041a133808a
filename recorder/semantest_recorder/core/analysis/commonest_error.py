"""The error that is behind most failures of a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semantest_recorder.core.analysis.clustering import normalized


def commonest_error(errors: Sequence[tuple[str | None, str]]) -> tuple[str | None, str, int] | None:
    """Type, message and number of the commonest of ``errors`` (type, message), which come the earliest first.

    Errors that differ only in values of their messages are the same; the message is that of the newest. Of equally
    common ones the newest is taken. ``None`` without any.
    """
    alike = [(kind, normalized(message)) for kind, message in errors]
    counts = Counter(alike)
    if not counts:
        return None
    newest = max(range(len(errors)), key=lambda place: (counts[alike[place]], place))
    return (*errors[newest], counts[alike[newest]])

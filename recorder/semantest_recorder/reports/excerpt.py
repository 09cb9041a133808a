"""Which lines of a long traceback are shown, when all of it would hide the next failure."""

from __future__ import annotations

import re
from pathlib import PurePath

_PLACE = re.compile(r"(?P<file>\S.*):(?P<line>\d+):(?: (?P<what>\S+))?\s*")
_ENTRY = re.compile(r"[^/<\s][^:]*:\d+: in ")
_NO_BEGINNING = re.compile(r"[\s^~]*|(_ )*_?\s*")


def excerpt(lines: list[str], limit: int) -> list[str | int]:
    """About ``limit`` of the lines (0: all), and in place of others how many they are.

    It is the end, or the beginning of the message when that alone is longer; and the line of the test itself.
    """
    if not limit or len(lines) <= limit:
        return [*lines]
    start, end = len(lines) - limit, len(lines)
    raised = _where_raised(lines)
    if raised is not None and raised < start:
        start, end = raised, raised + limit
    while start < end - 1 and _NO_BEGINNING.fullmatch(lines[start]):
        start += 1
    first, last = _own_lines(lines[:start])
    shown: list[str | int] = []
    for left_out_to, shown_to in ((first, last), (start, end), (len(lines), len(lines))):
        at = sum(part if isinstance(part, int) else 1 for part in shown)
        # Where one line would be left out, the line itself takes no more room.
        shown += lines[at:left_out_to] if left_out_to - at < 2 else [left_out_to - at]
        shown += lines[left_out_to:shown_to]
    return shown


def without_place(lines: list[str], file: str | None, line: int | None) -> list[str]:
    """The lines without a last one like ``test_a.py:9: ValueError`` that only repeats ``file`` and ``line``."""
    place = _PLACE.fullmatch(lines[-1]) if lines and file else None
    if place is None or place["line"] != str(line) or PurePath(place["file"]).name != PurePath(file or "").name:
        return lines
    kept = len(lines) - 1
    while kept and not lines[kept - 1].strip():
        kept -= 1
    return lines[:kept]


def _where_raised(lines: list[str]) -> int | None:
    """The line of code above the message that ends a traceback."""
    at = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith("E")), None)
    if at is None:
        return None
    while at > 0 and lines[at - 1].startswith("E"):
        at -= 1
    above = at - 1
    while above > 0 and _NO_BEGINNING.fullmatch(lines[above]):
        above -= 1
    return max(above, 0)


def _own_lines(lines: list[str]) -> tuple[int, int]:
    """From where to where the test's own line stands, with its place: first of all in a traceback."""
    own = next((at for at, line in enumerate(lines) if line.startswith(">")), None)
    if own is not None:
        place = next((at for at in range(own + 1, min(own + 3, len(lines))) if _PLACE.fullmatch(lines[at])), own)
        return own, place + 1
    entry = next((at for at, line in enumerate(lines) if _ENTRY.match(line)), None)
    return (0, 0) if entry is None else (entry, min(entry + 2, len(lines)))

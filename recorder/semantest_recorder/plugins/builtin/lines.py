"""Lines of text for terminals and logs."""

from __future__ import annotations

import re

#: Control characters, and marks that change the direction of text: a name must not rewrite a line (HAZARDS 33).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(text: str) -> str:
    """The text with everything that is not plainly shown as an escape."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def duration(milliseconds: float | None) -> str:
    """``12 ms``, ``1.25 s``, ``3 min 20 s``; a dash when it is not known."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"

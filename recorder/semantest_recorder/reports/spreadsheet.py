"""Text that came from tests, made harmless for spreadsheets."""

from __future__ import annotations

from typing import Final

#: With these at its beginning a cell is a formula (OWASP, CSV injection), or looks like one made safe.
_UNSAFE: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def no_formula(text: str) -> str:
    """The text of a cell, with an apostrophe before what is a formula to a spreadsheet, or begins with one."""
    return f"'{text}" if text.startswith(_UNSAFE) else text

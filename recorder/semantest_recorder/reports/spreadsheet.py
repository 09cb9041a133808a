"""Text that came from tests, made harmless for spreadsheets."""

from __future__ import annotations

from typing import Final

#: With these at its beginning a cell is a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def no_formula(text: str) -> str:
    """The text of a cell, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text

"""Words of others on one line of a terminal or a log. Standard library only: pytest imports this module."""

from __future__ import annotations


def printable_line(text: str) -> str:
    """The text on one line, without what would steer a terminal: a server's or an exception's words may be in it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else "?" for one in text)

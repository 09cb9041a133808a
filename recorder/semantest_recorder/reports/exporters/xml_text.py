"""XML as text: elements, with whatever stands in a text or an attribute made harmless. It is written, never read."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Characters that XML 1.0 does not have; pytest counts DEL among them.
_ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: A reader makes a line feed of a carriage return, and a blank of all three in an attribute.
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def element(tag: str, attributes: Mapping[str, str], content: str = "") -> str:
    """``content`` is XML already: elements, or what :func:`text` gives."""
    opened = opening(tag, attributes)
    return f"{opened}{content}</{tag}>" if content else f"{opened[:-1]} />"


def opening(tag: str, attributes: Mapping[str, str]) -> str:
    """The start tag alone, for an element that is written bit by bit."""
    told = [f' {name}="{_legal(value).translate(_ATTRIBUTE)}"' for name, value in attributes.items()]
    return f"<{tag}{''.join(told)}>"


def text(value: str) -> str:
    """The text of an element."""
    return _legal(value).translate(_TEXT)


def _legal(value: str) -> str:
    """With characters that XML cannot hold written out as pytest does: ``#x1B``, ``#xFFFE``."""
    return _ILLEGAL.sub(lambda found: f"#x{ord(found[0]):0{2 if ord(found[0]) <= 0xFF else 4}X}", value)

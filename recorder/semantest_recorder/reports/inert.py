"""Text that came from tests, made harmless for a terminal.

Names, messages and output are untrusted: an escape sequence could repaint the screen or type into the shell, a
bidirectional mark could make a line read as another one.
"""

from __future__ import annotations

import re

# CSI, OSC/DCS/APC/PM/SOS strings up to their terminator (bounded, so an unterminated one costs its opening only, and
# ended by the next one that opens, as in terminals, so that nothing is looked at twice), and the two-character escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]{0,4096}+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]{0,4}[0-~]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # direction marks, embeddings, overrides, isolates
    "\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # invisible
    "\U000e0000-\U000e007f]"  # tags
)
#: Below U+0020 JSON itself has only what parts its tokens; all else is in texts, where an escape means the same.
_FORBIDDEN_IN_JSON = re.compile(f"[\u2028\u2029{_FORBIDDEN.pattern[1:]}")
_SURROGATES = re.compile("[\ud800-\udfff]")


def inert(text: str) -> str:
    """The text without escape sequences, control, direction and invisible characters.

    Newlines and tabs stay, other line ends become newlines, lone surrogates become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    return _SURROGATES.sub("\ufffd", _FORBIDDEN.sub("", text))


def inert_json(data: bytes) -> bytes:
    """JSON that says the same, with such characters as escapes: it may be looked at in a terminal."""
    if data.isascii() and b"\x7f" not in data:
        return data
    return _FORBIDDEN_IN_JSON.sub(_escaped, data.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass")


def _escaped(character: re.Match[str]) -> str:
    units = character[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def inert_line(text: str) -> str:
    """As :func:`inert`, and on one line: newlines and tabs become blanks."""
    return inert(text).replace("\n", " ").replace("\t", " ")

"""Numbers that no double can hold, ``1e999`` or an integer of 400 digits, in JSON that came from a client (pure).

JSON allows them, but many readers refuse the whole text for one, and others read infinity, which no JSON can say again.
"""

from __future__ import annotations

import math
import re

#: What is left of a text when one looks for such numbers: digits, all alike, exponents, and what parts them.
_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_LEFT_OUT = bytes(byte for byte in range(256) if byte not in b'0123456789eE+",')
_TRACES = (b"0e000", b"0e+000", b"0" * 200)
#: A text, which is skipped, or a number that may be one. Nothing is looked at twice: a text without an end goes to the
#: end of all, else its every escaped quote would begin another one.
_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
    r"|(?<![0-9.])(-?(?:[0-9]++(?:\.[0-9]++)?[eE]\+?[0-9]{3,}+|[0-9]{200,}+(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?))",
    re.DOTALL,
)


def spell_numbers(text: str) -> str:
    """The JSON text with each number that no double can hold as a text of its digits; else the same object."""
    if not _may_hold_one(text):
        return text
    return _TOKEN.sub(_spell, text)


def read_integer(digits: str) -> int | float:
    """For ``json.loads``: infinity for an integer that no double can hold; Python refuses very long ones."""
    return int(digits) if len(digits) < 300 else float(digits)


def _may_hold_one(text: str) -> bool:
    alike = text.encode("utf-8", "surrogatepass").translate(_ALIKE, _LEFT_OUT)  # a regular expression takes ten times
    return any(trace in alike for trace in _TRACES)


def _spell(token: re.Match[str]) -> str:
    number = token[1]
    return f'"{number}"' if number is not None and math.isinf(float(number)) else token[0]

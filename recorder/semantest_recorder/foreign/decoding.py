"""Bytes of a file as text, whatever its encoding: what cannot be read becomes U+FFFD, and no line is lost."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:\-]{1,40})["']""")
_DECLARATION = re.compile(r"\A\s*<\?xml.{0,400}?\?>", re.DOTALL)
#: Characters that no XML may hold, and references to them (XML 1.0, production 2).
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|(\d{1,9}));")


def text_of(data: bytes, declared: str | None = None) -> str:
    """The text of a file: by its byte order mark, else by the encoding that it declares, else UTF-8."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[:2] == b"<\0" or data[:2] == b"{\0":
        return data.decode("utf-16-le", "replace")
    if data[:2] == b"\0<" or data[:2] == b"\0{":
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode(declared or "utf-8", "replace")
    except (LookupError, ValueError):  # nobody knows it, or it is none of texts (base64, say)
        return data.decode("utf-8", "replace")


def sayable(text: str) -> str:
    """The text with lone surrogates, which JSON can name and UTF-8 cannot hold, spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def xml_text(data: bytes) -> str:
    """The text of an XML file without its declaration, and with U+FFFD for characters that no XML may hold.

    Tools write what tests printed, and forget that escape sequences and zeros are no XML. Lines stay where they are.
    """
    declared = _DECLARED.match(data[:400].lstrip())
    text = text_of(data, declared[1].decode("ascii") if declared else None)
    text = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text, count=1)
    text = _ILLEGAL.sub("\ufffd", text)
    return _REFERENCE.sub(_legal, text) if "&#" in text else text


def _legal(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    legal = number <= 0x10FFFF and not _ILLEGAL.match(chr(number))
    return reference[0] if legal else "\ufffd"

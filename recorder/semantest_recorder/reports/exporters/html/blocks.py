"""Blocks of data inside a page: what is in them can end no block, and is unpacked when it is looked at."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import AttachmentInfo, TestInfo

#: Details of tests are packed together until they are so large, in bytes before packing.
_BLOCK: Final = 128 * 1024
#: The largest picture that is put into a page, and how much all of them may be, in bytes.
PICTURE_MAX: Final = 2 * 1024 * 1024
PICTURES_MAX: Final = 64 * 1024 * 1024
#: How files of the pictures that every browser shows begin.
_PICTURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def packed(kind: str, data: bytes, number: int = 0) -> str:
    """A block: zlib, then base64, in which there is neither ``<`` nor ``&``."""
    return _block(f'data-{kind}="{number}"', zlib.compress(data, 6))


def _block(attributes: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f'<script type="application/octet-stream" {attributes}>{text}</script>\n'


def detail_blocks(tests: Iterable[TestInfo], *, pictures: bool) -> Iterator[str]:
    """The attempts of ``tests``, which come in the order of the report, each with its details until the next one.

    A block is called by the number of its first test. With ``pictures`` those that tests took follow their block.
    """
    found = _Pictures()
    first, parts, size = 0, list[bytes](), 0
    for number, test in enumerate(tests):
        for attempt in test.attempts_detail:
            for attachment in attempt.attachments:
                if pictures:
                    found.take(attachment)
                attachment.place = None  # the page goes to other machines
        part = json_text(test.attempts_detail)
        parts.append(part)
        size += len(part)
        if size >= _BLOCK:
            yield packed("first", b"[" + b",".join(parts) + b"]", first)
            yield from found.blocks()
            first, parts, size = number + 1, [], 0
    if parts:
        yield packed("first", b"[" + b",".join(parts) + b"]", first)
        yield from found.blocks()


class _Pictures:
    """Pictures that are to go into the page, each once."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._waiting: list[tuple[str, str]] = []
        self._left = PICTURES_MAX

    def take(self, attachment: AttachmentInfo) -> None:
        sha256, place = attachment.sha256, attachment.place
        if sha256 is not None and place is not None and sha256 not in self._known:
            self._known.add(sha256)
            self._waiting.append((sha256, place))

    def blocks(self) -> Iterator[str]:
        for sha256, place in self._waiting:
            data = _content(place, min(PICTURE_MAX, self._left))
            kind = next((kind for beginning, kind in _PICTURES.items() if data.startswith(beginning)), None)
            # A client names any path as that of its screenshot: only what it proves to know goes into the page.
            if kind is None or hashlib.sha256(data).hexdigest() != sha256:
                continue
            self._left -= len(data)
            yield _block(f'data-picture="{sha256}" data-kind="{kind}"', data)
        self._waiting.clear()


def _content(place: str, most: int) -> bytes:
    """The file's bytes; none of one that is larger, no file, or cannot be read."""
    try:
        with open(os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(most + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return b""
    return data if len(data) <= most else b""

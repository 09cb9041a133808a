r"""The journal's record format, version 1, and the status slot beside it.

One record is one line and one ``write(2)``::

    J1 <seq> <length> <crc32> <body>\n

``seq`` and ``length`` (of the body, in bytes) are decimal, ``crc32`` is eight hex digits: the CRC-32 of the body
started from ``seq`` (modulo 2**32), so that it vouches for both. The body is one event as compact JSON, which holds no
newline.
A reader can start again at any newline; a record whose terminator is damaged is still read by its length.
The status slot is one fixed-size line, ``<seq of the last test/start> <phase>`` padded with blanks and written in
place: it costs less than a record and says in which phase the test that was running died.
"""

from __future__ import annotations

from zlib import crc32

STATUS_SIZE = 24


def encode(seq: int, body: bytes) -> bytes:
    """The line for one record."""
    return b"J1 %d %d %08x %b\n" % (seq, len(body), crc32(body, seq & 0xFFFFFFFF), body)


def encode_status(seq: int, phase: str) -> bytes:
    """The status slot's content: ``seq`` of the running test's ``test/start`` record and its phase."""
    return f"{seq} {phase}".ljust(STATUS_SIZE).encode("ascii")

r"""The journal's record format, version 1, and the status slot beside it.

One record is one line and one ``write(2)``::

    J1 <seq> <length> <crc32> <body>\n

``seq`` and ``length`` (of the body, in bytes) are decimal, ``crc32`` is eight hex digits: the CRC-32 of the body
started from ``seq`` (modulo 2**32), so that it vouches for both. The body is one event as compact JSON, which holds no
newline.
A reader can start again at any newline; a record whose terminator is damaged is still read by its length.
The status slot says in which phase the test that was running died. It is written in place, because that costs less
than a record: seq of the last ``test/start`` (64 bits, little endian), phase (1 setup, 2 call, 3 teardown), 7 zero
bytes. A process that could not write its end record, on a full disk say, leaves its end there instead: seq that this
record is to have, 4, exit code (8 bits), stopped early, interrupted (0 or 1), and how many records are lost (32 bits).
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

PHASES = ("setup", "call", "teardown")
SETUP, CALL, TEARDOWN = 1, 2, 3
#: The status slot's content: seq, phase.
STATUS = Struct("<QB7x")
STATUS_SIZE = STATUS.size
#: The phase of a slot that holds an end, and its content: seq, ENDED, exit code, stopped early, interrupted, dropped.
ENDED = 4
ENDING = Struct("<QBB??I")


def encode(seq: int, body: bytes) -> bytes:
    """The line for one record."""
    return b"J1 %d %d %08x %b\n" % (seq, len(body), crc32(body, seq & 0xFFFFFFFF), body)


def encode_status(seq: int, phase: str) -> bytes:
    """The status slot's content: ``seq`` of the running test's ``test/start`` record and its phase."""
    return STATUS.pack(seq, PHASES.index(phase) + 1)

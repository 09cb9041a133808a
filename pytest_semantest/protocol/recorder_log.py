"""``recorder.log``: what a recorder in the background writes to its stdout and stderr. At most twice ``MOST_BYTES``."""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress

from pytest_semantest.protocol.appending import open_to_append
from pytest_semantest.protocol.layout import RECORDER_LOG

MOST_BYTES = 1024 * 1024
_STREAMS = (1, 2)
_TAIL = 64 * 1024
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ ")
_PROGRAM = "semantest-recorder: "
_LONGEST = 500


def open_log(directory: str | os.PathLike[str]) -> int:
    """A descriptor that appends to the log; one that has grown large is kept as ``recorder.log.1``.

    Raises ``OSError``, also for what is no file of its own: a link would have us write into another one.
    """
    path = os.path.join(directory, RECORDER_LOG)
    descriptor = open_to_append(path)
    if os.fstat(descriptor).st_size <= MOST_BYTES:
        return descriptor
    os.close(descriptor)
    fresh = f"{path}.new"
    descriptor = open_to_append(fresh)  # before the old one goes: without room for another one, it stays
    try:
        os.replace(path, f"{path}.1")
        os.replace(fresh, path)
    except FileNotFoundError:  # somebody else has begun a new one meanwhile
        os.close(descriptor)
        return open_to_append(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class OwnLog:
    """The log of the folder, as far as this process has written to it since this was made."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = directory
        self._path = os.path.join(directory, RECORDER_LOG)
        #: What stderr is, when that is the log.
        self._present: os.stat_result | None = None
        with suppress(OSError):  # there is no log, or no stderr
            present = os.fstat(_STREAMS[-1])
            if stat.S_ISREG(present.st_mode) and os.path.samestat(present, os.lstat(self._path)):
                self._present = present

    def turn_over(self) -> bool:
        """Begins a new log when this one has grown large or was removed; whether it did.

        Raises ``OSError``.
        """
        if self._present is None:
            return False  # whoever sent our output elsewhere looks after it
        present = os.fstat(_STREAMS[-1])
        if not os.path.samestat(present, self._present):
            return False
        if present.st_size <= MOST_BYTES and os.path.lexists(self._path):
            return False
        descriptor = open_log(self._directory)
        try:
            for stream in _STREAMS:
                if os.path.samestat(present, os.fstat(stream)):
                    os.dup2(descriptor, stream)
            self._present = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return True


def last_words(directory: str | os.PathLike[str], start: int) -> str:
    """What a recorder said last from byte ``start`` of its log on; empty when it said nothing that can be read."""
    try:
        with open(os.path.join(directory, RECORDER_LOG), "rb") as log:
            log.seek(max(start, os.fstat(log.fileno()).st_size - _TAIL))
            lines = log.read().decode(errors="replace").strip().split("\n")
    except OSError:
        return ""
    return message_of(lines[-1].strip())[:_LONGEST]


def message_of(line: str) -> str:
    """What a line of the log says, without the time and the program; one that is no record is all message."""
    if line.startswith("{"):
        try:
            return str(json.loads(line)["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return line
    return _STAMP.sub("", line).removeprefix(_PROGRAM)

"""The last output of a process that may die: pytest's capture files, which have no name any more.

On Linux ``/proc/<pid>/fd/<n>`` opens the unlinked file itself, and holding it open keeps its content when the process
is gone. Elsewhere there is no last output.
"""

from __future__ import annotations

import os
import stat
from typing import Any

from pytest_semantest.protocol.redaction import Redactor

TAIL_BYTES = 8 * 1024
# A secret that begins before the tail must be read whole to be recognised.
_MARGIN = 4 * 1024


class CapturedOutput:
    """Holds open the capture files that a journal's first event names (``CaptureFiles`` in docs/design/events.md)."""

    def __init__(self, pid: object, files: object) -> None:
        self._descriptors: dict[str, int] = {}
        if not isinstance(pid, int) or not isinstance(files, dict):
            return
        for stream in ("stdout", "stderr"):
            descriptor = open_of_process(pid, files.get(stream))
            if descriptor is not None:
                self._descriptors[stream] = descriptor

    def tail(self, redactor: Redactor) -> list[tuple[str, str]]:
        """``(stream, text)`` of each stream that has output: its last ``TAIL_BYTES``, redacted."""
        found = []
        for stream, descriptor in self._descriptors.items():
            text = _read_tail(descriptor, redactor)
            if text.strip():
                found.append((stream, text))
        return found

    def close(self) -> None:
        """Lets go of the files."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()


def open_of_process(pid: int, file: Any, access: int = os.O_RDONLY) -> int | None:
    """A descriptor of a file that a process holds open, named as in ``CaptureFiles``.

    ``None`` when it is not (or no longer) the one that is meant.
    """
    if not isinstance(file, dict) or not isinstance(file.get("fd"), int):
        return None
    path = f"/proc/{pid}/fd/{file['fd']}"
    expected = (file.get("device"), file.get("inode"))
    try:
        if not _is_that_file(os.stat(path), expected):
            return None
        descriptor = os.open(path, access | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
    if _is_that_file(os.fstat(descriptor), expected):
        return descriptor
    os.close(descriptor)
    return None


def _is_that_file(status: os.stat_result, expected: tuple[object, object]) -> bool:
    return stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) == expected


def _read_tail(descriptor: int, redactor: Redactor) -> str:
    try:
        size = os.fstat(descriptor).st_size
        start = max(0, size - TAIL_BYTES - _MARGIN)
        data = os.pread(descriptor, TAIL_BYTES + _MARGIN, start)
    except OSError:
        return ""
    text = redactor.redact(data.decode("utf-8", "replace"))
    if start == 0 and len(text) <= TAIL_BYTES:
        return text
    cut = text[-TAIL_BYTES:]
    # Begin with a whole line where there is one.
    newline = cut.find("\n", 0, 1024)
    return cut[newline + 1 :] if newline >= 0 else cut

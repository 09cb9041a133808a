"""``shipper.log``: what the shipper met, for ``semantest doctor``. Small, never a reason to fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from pytest_semantest.protocol.appending import open_to_append
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.whole_file import write_whole

LOG = "shipper.log"
MAX_BYTES = 256 * 1024

Log = Callable[[str], None]


class Diagnostics:
    """A log file of at most ``MAX_BYTES``: the older half goes when it is full. A line repeated is written once."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG
        self._last = ""

    def __call__(self, text: str) -> None:
        """Appends one line with the time; what cannot be written is left out."""
        if text == self._last:
            return
        self._last = text
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} {os.getpid()} {printable_line(text[:2000])}\n".encode("utf-8", "replace")
        try:
            self._append(line)
        except OSError:
            return

    def _append(self, line: bytes) -> None:
        descriptor = open_to_append(self._path)
        try:
            if os.fstat(descriptor).st_size + len(line) <= MAX_BYTES:
                os.write(descriptor, line)
                return
        finally:
            os.close(descriptor)
        with self._path.open("rb") as file:
            file.seek(-MAX_BYTES // 2, os.SEEK_END)
            newer = file.read().partition(b"\n")[2]
        write_whole(self._path, newer + line)

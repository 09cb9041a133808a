"""``shipper.log``: what the shipper met, for ``semantest doctor``. Small, never a reason to fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from pytest_semantest.protocol.printable import printable_line

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
        line = f"{stamp} {os.getpid()} {printable_line(text[:2000])}\n"
        try:
            if self._path.exists() and self._path.stat().st_size + len(line) > MAX_BYTES:
                tail = self._path.read_bytes()[-MAX_BYTES // 2 :]
                self._path.write_bytes(tail[tail.find(b"\n") + 1 :])
            with self._path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(line)
        except OSError:
            return

"""A wall clock that a test can turn, for processes that it starts: a library is loaded into each of them."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path


class WallClock:
    """The wall clock of every process that has ``environment``. Monotonic clocks go on as they are.

    ``folder`` is where its files are made. ``reason``: why there is none on this machine, else empty.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._file.write_bytes(struct.pack("d", 0.0))
        library = folder / "clock.so"
        compiler = shutil.which("cc") or shutil.which("gcc")
        self.reason = "" if compiler else "there is no C compiler"
        if compiler:
            source = Path(__file__).with_suffix(".c")
            command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.reason = done.stderr.strip()[:200] if done.returncode else ""
        #: What the processes need.
        self.environment = {} if self.reason else {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(self._file)}

    def turn(self, seconds: float) -> None:
        """The clock is wrong by so much from now on, in whole seconds."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
            shared[:8] = struct.pack("d", seconds)

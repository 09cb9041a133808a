"""A command of ``semantest`` that pytest has run when all tests are over, and waits for.

As with the shipper (``launch.py``) no child of pytest's stays: ``sh`` starts the command in a session of its own and
exits; exit code and output come through files of the session's folder.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from pytest_semantest.protocol.spawning import isolated_environment, semantest_command

_POLL_S = 0.02
#: As ``remove`` of the shipper's folder.py knows files that go with the session.
_SUFFIX = ".tmp"
_SCRIPT = (
    'code="$1"; said="$2"; out="$3"; shift 3; '
    '{ "$@" </dev/null >"$out" 2>"$said"; echo $? >"$code"; } >/dev/null 2>&1 &'
)
#: Bytes of its output that are read: a gate names every test.
_MOST = 1 << 26


class Recorded:
    """Where a recorded run is: its id, the ``.semantest`` folder, the session's folder in it.

    ``shipped``: the database has all of it.
    """

    __slots__ = ("directory", "folder", "run_id", "shipped")

    def __init__(self, directory: str, folder: str, run_id: str, *, shipped: bool) -> None:
        self.directory = os.path.abspath(directory)
        self.folder = os.path.abspath(folder)
        self.run_id = run_id
        self.shipped = shipped


class Deadline:
    """Until when commands are waited for; not after Ctrl-C."""

    _monotonic = time.monotonic

    def __init__(self, seconds: float) -> None:
        self._end = Deadline._monotonic() + seconds

    def is_over(self) -> bool:
        """Whether nobody waits any more."""
        return Deadline._monotonic() >= self._end

    def end(self) -> None:
        """Wait no more."""
        self._end = 0.0


class CommandAtEnd:
    """One command about a run; ``name`` is for its files."""

    _sleep = time.sleep
    _spawn = os.posix_spawn
    _waitpid = os.waitpid
    _open = open

    def __init__(self, recorded: Recorded, name: str, *arguments: str) -> None:
        """Start it. Raises ``OSError`` or ``ValueError``."""
        place = os.path.join(recorded.folder, name)
        self._code, self._said, self._out = (f"{place}.{kind}{_SUFFIX}" for kind in ("code", "said", "out"))
        source = ("--sync-timeout", "0") if recorded.shipped else ("--journals",)
        command = semantest_command(*arguments, "--directory", recorded.directory, *source)
        pid = CommandAtEnd._spawn(
            "/bin/sh",
            ["sh", "-c", _SCRIPT, "sh", self._code, self._said, self._out, *command],
            isolated_environment(os.environ),
            setsid=True,
        )
        with suppress(ChildProcessError):  # where SIGCHLD is ignored, or a handler of the user's takes every child
            CommandAtEnd._waitpid(pid, 0)

    def exit_code(self, deadline: Deadline) -> int | None:
        """Its exit code; ``None`` when it is still running at the ``deadline`` or the user pressed Ctrl-C."""
        try:
            while not (found := self._read(self._code)).endswith("\n"):
                if deadline.is_over():
                    return None
                CommandAtEnd._sleep(_POLL_S)
        except KeyboardInterrupt:
            deadline.end()
            return None
        return int(found)

    def output(self) -> str:
        """What it printed."""
        return self._read(self._out)

    def reason(self) -> str:
        """Why it failed: the last line that it said, else an empty text."""
        lines = self._read(self._said).strip().splitlines()
        return lines[-1].removeprefix("semantest: ") if lines else ""

    @staticmethod
    def _read(path: str) -> str:
        try:
            with CommandAtEnd._open(path, encoding="utf-8", errors="replace") as file:
                return file.read(_MOST)
        except OSError:
            return ""

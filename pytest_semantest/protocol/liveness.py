"""Whether a process is the one that a journal's first event names, judged from outside.

Standard library only: what a process table has to be asked for (when was a process created) is asked by the shipper
and by ``semantest recover``, each with psutil.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: A journal from another machine or pid namespace counts as abandoned when nothing was written to it for this long.
FOREIGN_SILENCE_MS = 3_600_000.0
#: How much later than its first event a process may seem to have started: clocks step, and process tables are coarse.
START_SLACK_MS = 2_000.0
#: What a ``pid_t`` holds.
PID_MAX = 2**31 - 1
_PLACE = ("host", "pidNamespace")
_MEMORY = re.compile(r"/proc/(\d{1,9})/fd/\d+", re.ASCII)


class JournalWriter:
    """The process that wrote a journal; ``start`` is the payload of its first event, ``started_ms`` its timestamp.

    ``pid`` is ``None`` when the event names none: then nobody can tell, and the process counts as dead. ``foreign``:
    it runs on another machine or in another pid namespace, where this process cannot look.
    """

    def __init__(self, start: Mapping[str, Any], started_ms: float) -> None:
        pid = start.get("pid")
        self.pid = pid if isinstance(pid, int) and pid > 0 else None
        self.foreign = self.pid is not None and (
            start.get("host") != os.uname().nodename or _is_other_namespace(start.get("pidNamespace"))
        )
        ticks = start.get("processStart")
        self._ticks = ticks if isinstance(ticks, int) else None
        self._boot = start.get("bootId")
        self._started_ms = started_ms

    def is_process(self, created_ms: Callable[[], float]) -> bool:
        """Whether the process that has the pid now is this one; ``created_ms`` says when that one was created."""
        ticks = _start_ticks(self.pid) if self.pid is not None and self._ticks is not None else None
        if ticks is not None:  # counted since boot: no clock that steps can change it
            return ticks == self._ticks and not _is_other_boot(self._boot)
        return created_ms() <= self._started_ms + START_SLACK_MS


def process_exists(pid: object) -> bool:
    """Whether a process with this id runs here; one that has ended and waits for its parent does not."""
    if not isinstance(pid, int) or not 0 < pid <= PID_MAX:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, of which the file below says the same
        pass
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # no /proc here, or it ended just now, which the next call sees
        return True
    return stat.rpartition(b")")[2].split()[:1] != [b"Z"]


def guessed_start(status: Path, neighbour: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in for the first event of a journal that cannot be read: ``pid, host, pidNamespace``.

    ``status`` is the journal's status slot, on Linux a link to the memory of the process; ``neighbour`` the first
    event's payload of another journal of the session, empty without one. Such a process started before its journal
    was last written.
    """
    start = {"host": os.uname().nodename, **{key: neighbour[key] for key in _PLACE if key in neighbour}}
    try:
        memory = _MEMORY.fullmatch(str(status.readlink()))
    except OSError:
        memory = None
    return {"pid": int(memory[1]) if memory is not None else None, **start}


def is_fresh(written_ms: float, now_ms: float) -> bool:
    """Whether a foreign process is taken for alive, whose journal was last written at ``written_ms``."""
    return now_ms - written_ms < FOREIGN_SILENCE_MS


def _is_other_namespace(name: object) -> bool:
    if not isinstance(name, str):
        return False
    try:
        return str(Path("/proc/self/ns/pid").readlink()) != name
    except OSError:
        return False


def _is_other_boot(boot_id: object) -> bool:
    """Whether the system was started anew since; ``False`` when one of both is not known."""
    if not isinstance(boot_id, str):
        return False
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip() != boot_id.strip()
    except (OSError, ValueError):
        return False


def _start_ticks(pid: int) -> int | None:
    """Field 22 of ``/proc/<pid>/stat``; the name in field 2 may hold blanks and parentheses."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None

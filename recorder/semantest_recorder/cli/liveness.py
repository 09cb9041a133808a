"""Whether the process that wrote a journal still runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: A journal from another machine or container counts as abandoned when nothing was written to it for this long.
_FOREIGN_SILENCE_MS = 3_600_000.0
#: Clocks step, and the start time of a process is coarse.
_START_SLACK_MS = 2_000.0


def writer_is_alive(start: Mapping[str, Any], started_ms: float, written_ms: float, now_ms: float) -> bool:
    """Whether the process of a source's first event runs.

    ``start`` and ``started_ms`` are that event's payload and timestamp, ``written_ms`` is when its journal was last
    written. A process that cannot be seen from here is taken for alive while its journal is fresh.
    """
    pid = start.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    if start.get("host") != os.uname().nodename or _other_namespace(start.get("pidNamespace")):
        return now_ms - written_ms < _FOREIGN_SILENCE_MS
    import psutil  # noqa: PLC0415 - 20 ms for the few who need it

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        known = start.get("processStart")
        ticks = _start_ticks(pid) if isinstance(known, int) else None
        if ticks is not None:  # counted since boot: no clock that steps can change it
            return ticks == known and not _other_boot(start.get("bootId"))
        return bool(process.create_time() * 1000 <= started_ms + _START_SLACK_MS)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _other_namespace(name: object) -> bool:
    if not isinstance(name, str):
        return False
    try:
        return str(Path("/proc/self/ns/pid").readlink()) != name
    except OSError:
        return False


def _other_boot(boot_id: object) -> bool:
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

"""Whether a shipper sees to a session: it holds the session's lock as long as it lives. Nothing is written."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pytest_semantest.protocol.layout import SHIP_LOCK


def has_shipper(session: Path) -> bool:
    """Whether a process holds the lock of a session, which is left as it is.

    The pid in ship.json cannot tell: it outlives its process, and may be another one's by now. ``False`` where it
    cannot be found out.
    """
    try:
        descriptor = os.open(session / SHIP_LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back at once; who tries just now tries again
    except (BlockingIOError, PermissionError):  # held: some file systems say it in the second way
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False

"""Who is at work, as its lock tells, which it holds as long as it lives. Nothing is written.

Each answer is ``False`` where it cannot be found out.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pytest_semantest.protocol.layout import RECORDER_LOCK, SHIP_LOCK, STARTING_LOCK


def has_shipper(session: Path) -> bool:
    """Whether a shipper sees to a session.

    The pid in ship.json cannot tell: it outlives its process, and may be another one's by now.
    """
    return _is_held(session / SHIP_LOCK)


def has_recorder(directory: Path) -> bool:
    """Whether a recorder serves a ``.semantest`` folder, be it in another container."""
    return _is_held(directory / RECORDER_LOCK)


def has_starter(directory: Path) -> bool:
    """Whether somebody is starting a recorder for a ``.semantest`` folder."""
    return _is_held(directory / STARTING_LOCK)


def _is_held(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
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

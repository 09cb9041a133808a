"""Who is at work, as its lock tells, which it holds as long as it lives. Nothing is written.

Each answer is ``False`` where it cannot be found out.
"""

from __future__ import annotations

import errno
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


def is_abandoned(directory: Path) -> bool:
    """Whether surely no recorder serves a ``.semantest`` folder: its lock can be had.

    A recorder that was killed leaves its address behind, at which somebody else may listen by now.
    """
    return _is_held_or_unknown(directory / RECORDER_LOCK) is False


def has_starter(directory: Path) -> bool:
    """Whether somebody is starting a recorder for a ``.semantest`` folder."""
    return _is_held(directory / STARTING_LOCK)


def _is_held(lock: Path) -> bool:
    return _is_held_or_unknown(lock) is True


def _is_held_or_unknown(lock: Path) -> bool | None:
    """Whether a process holds a lock; ``None`` when that cannot be found out."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        return False if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) else None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back at once; who tries just now tries again
    except (BlockingIOError, PermissionError):  # held: some file systems say it in the second way
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False

"""``recorder.log``: what a recorder in the background writes to its stdout and stderr. At most twice ``MOST_BYTES``."""

from __future__ import annotations

import os
import stat

from pytest_semantest.protocol.appending import open_to_append
from pytest_semantest.protocol.layout import RECORDER_LOG

MOST_BYTES = 1024 * 1024
_STREAMS = (1, 2)


def open_log(directory: str | os.PathLike[str]) -> int:
    """A descriptor that appends to the log; one that has grown large is kept as ``recorder.log.1``.

    Raises ``OSError``, also for what is no file of its own: a link would have us write into another one.
    """
    path = os.path.join(directory, RECORDER_LOG)
    descriptor = open_to_append(path)
    if os.fstat(descriptor).st_size <= MOST_BYTES:
        return descriptor
    os.close(descriptor)
    os.replace(path, f"{path}.1")
    return open_to_append(path)


def turn_over(directory: str | os.PathLike[str]) -> bool:
    """Begins a new log when this process writes to the one in the folder and it has grown large; whether it did.

    Raises ``OSError``.
    """
    present = os.fstat(_STREAMS[-1])
    if not stat.S_ISREG(present.st_mode) or present.st_size <= MOST_BYTES:
        return False
    path = os.path.join(directory, RECORDER_LOG)
    if not os.path.samestat(present, os.lstat(path)):
        return False  # whoever sent our output elsewhere looks after it
    descriptor = open_log(directory)
    try:
        for stream in _STREAMS:
            if os.path.samestat(present, os.fstat(stream)):
                os.dup2(descriptor, stream)
    finally:
        os.close(descriptor)
    return True

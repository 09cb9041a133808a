"""Files in a ``.semantest`` folder that grow, opened so that nothing else is written. Standard library only.

A folder may come from elsewhere, as artifacts of CI do: a link in it would have us write into another file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def append_records(path: str | os.PathLike[str], lines: Sequence[bytes]) -> None:
    """Appends whole records to a journal, all or none, apart from a torn one at its end. Raises ``OSError``."""
    descriptor = open_to_append(path)
    try:
        size = os.fstat(descriptor).st_size
        data = b"".join(lines) if _ends_a_line(path, size) else b"\n" + b"".join(lines)
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
    finally:
        os.close(descriptor)


def _ends_a_line(path: str | os.PathLike[str], size: int) -> bool:
    if not size:
        return True
    reading = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.pread(reading, 1, size - 1) == b"\n"
    finally:
        os.close(reading)


def open_to_append(path: str | os.PathLike[str]) -> int:
    """A descriptor that appends to the file, which is made for its owner only when it is not there.

    Raises ``OSError``, also for a symbolic link and for what is no regular file; ``strerror`` says so.
    """
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link: remove it", os.fspath(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file: remove it", os.fspath(path))
    return descriptor

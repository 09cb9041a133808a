"""Small files that somebody wrote by hand or that others may have put there, read without waiting and within a bound.

Standard library only: pytest imports this module.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import Any

#: More is no file of tokens or settings.
MOST_BYTES = 4 * 1024 * 1024


def read_small_file(path: str | os.PathLike[str], most: int = MOST_BYTES) -> tuple[bytes, os.stat_result]:
    """The content of a regular file of at most ``most`` bytes, and its facts.

    A pipe would make the reader wait, a device has no end. Raises ``OSError``, whose ``strerror`` says what is wrong.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
        parts, left = [], most + 1
        while left > 0 and (part := os.read(descriptor, left)):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(descriptor)
    if left <= 0:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", os.fspath(path))
    return b"".join(parts), found


def read_object(path: str | os.PathLike[str], most: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in a small file; empty when there is none that can be read."""
    try:
        found = json.loads(read_small_file(path, most)[0])
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

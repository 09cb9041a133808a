"""A database is a file: opening a pipe would wait for ever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen, NoDatabase


def require_regular(path: Path) -> None:
    """Raises ``OSError`` when there is nothing at ``path``, or something else than a file."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def require_database_file(path: Path) -> None:
    """Raises ``NoDatabase`` when there is nothing at ``path``, ``CannotOpen`` when it is something else than a file."""
    try:
        require_regular(path)
    except FileNotFoundError:
        raise NoDatabase(path) from None
    except OSError as error:
        raise CannotOpen(path, error.strerror or str(error)) from None

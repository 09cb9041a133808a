"""Files of a session, opened to be read and sent. Standard library only.

A folder may come from elsewhere, as artifacts of CI do: a link in it would have us send another file.
"""

from __future__ import annotations

import errno
import os
import stat


def open_to_read(path: str | os.PathLike[str]) -> int:
    """A descriptor of a regular file that lies at ``path`` itself.

    Raises ``OSError``, also for a symbolic link and for what is no regular file; ``strerror`` says so.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a symbolic link: remove it", os.fspath(path)) from None
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    raise OSError(errno.EINVAL, "it is no regular file: remove it", os.fspath(path))


def refuse_link(path: str | os.PathLike[str]) -> None:
    """Raises ``OSError`` when a symbolic link lies at ``path``: what is written there would be written elsewhere."""
    if os.path.islink(path):
        raise OSError(errno.ELOOP, "it is a symbolic link: remove it", os.fspath(path))

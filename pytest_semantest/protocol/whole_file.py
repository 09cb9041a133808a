"""A file replaced whole or not at all. Standard library only: pytest imports this module."""

from __future__ import annotations

import os
from contextlib import suppress


def write_whole(
    path: str | os.PathLike[str],
    content: bytes,
    *,
    mode: int = 0o600,
    durable: bool = False,
    owner: tuple[int, int] | None = None,
) -> None:
    """Puts a file with this content in the place of ``path`` in one step.

    ``mode`` is that of a new file, from which the umask takes away; ``durable``: its content is on the disk before it
    is seen; ``owner``: the user and group that it is given to. Raises ``OSError``, which names ``path``; then there is
    the file that was there before, or none.
    """
    path = os.fspath(path)
    folder, name = os.path.split(path)
    # Nobody can guess the name, and a folder of a session may hold one that a killed process left.
    draft = os.path.join(folder, f".{name}.{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _fill(descriptor, content, durable=durable, owner=owner)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:  # one of writing names no file, and nobody knows the draft's
        raise OSError(error.errno, error.strerror, path) from None


def _fill(descriptor: int, content: bytes, *, durable: bool, owner: tuple[int, int] | None) -> None:
    try:
        left = memoryview(content)
        while left:  # a disk that is nearly full takes a part, and says so with the next
            left = left[os.write(descriptor, left) :]
        if owner is not None:
            os.fchown(descriptor, *owner)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

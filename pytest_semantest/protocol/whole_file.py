"""A file replaced whole or not at all. Standard library only: pytest imports this module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


def write_whole(
    path: str | os.PathLike[str],
    content: bytes,
    *,
    mode: int = 0o600,
    exact: bool = False,
    durable: bool = False,
    owner: tuple[int, int] | None = None,
) -> None:
    """Puts a file with this content in the place of ``path`` in one step.

    ``mode`` is that of a new file, from which the umask takes away unless it is ``exact``; ``durable``: its content is
    on the disk before it is seen; ``owner``: the user and group that it is given to. Raises ``OSError``, which names
    ``path``; then there is the file that was there before, or none.
    """
    with _draft_of(os.fspath(path), mode) as descriptor:
        if exact:
            os.fchmod(descriptor, mode)
        _fill(descriptor, content, durable=durable, owner=owner)


@contextmanager
def open_whole(path: str | os.PathLike[str], *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """The same for a content that comes in parts: a stream, whose file takes the place of ``path`` after the block.

    What the block raises leaves the file that was there before, or none; an ``OSError`` without a file's name, as of
    a full disk, gets that of ``path``.
    """
    with _draft_of(os.fspath(path), mode) as descriptor, os.fdopen(descriptor, "wb") as stream:
        yield stream


@contextmanager
def _draft_of(path: str, mode: int) -> Iterator[int]:
    """A descriptor, closed in the block, of the file that replaces ``path`` after it."""
    folder, name = os.path.split(path)
    # Nobody can guess the name, and a folder of a session may hold one that a killed process left.
    draft = os.path.join(folder, f".{name}.{os.urandom(8).hex()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            yield descriptor
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:  # one of writing names no file, and nobody knows the draft's
        if error.filename not in (None, draft):
            raise
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

"""Where an export is written to: a file that appears when it is whole, a device or pipe, or stdout."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from pytest_semantest.protocol.whole_file import open_whole
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.reports.inert import inert

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT = "-"


def check_target(path: str, suffix: str) -> None:
    """Whether there can be a file ``path``, before long work for it; ``suffix`` is usual. Raises ``Stop``."""
    if path == STDOUT:
        return
    if not path or "\0" in path:
        raise Stop("the name of the file to write is empty, or none: name one, or - for stdout", EXIT_USAGE)
    if path.endswith(os.sep) or Path(path).is_dir():
        raise Stop(f"{path} is a folder: name a file in it, such as {Path(path, f'{{run}}{suffix}')}", EXIT_USAGE)
    parent = Path(path).parent
    if not parent.is_dir():
        raise Stop(f"there is no folder {parent} for {path}: make it first, or name another file", EXIT_USAGE)


@contextmanager
def target(path: str) -> Iterator[BinaryIO]:
    """A stream to what ``path`` names. Raises ``Stop`` when it cannot be written."""
    if path == STDOUT:
        if sys.stdout.isatty():
            yield cast("BinaryIO", _Terminal(sys.stdout.buffer))
        else:
            yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    real = os.path.realpath(path)  # what a link names is replaced, not the link
    try:
        if _takes_bytes_at_once(real):
            with Path(real).open("wb") as stream:
                yield stream
        else:
            with open_whole(real, mode=0o666) as stream:
                yield stream
    except OSError as error:
        if error.filename not in (None, real):
            raise
        raise Stop(f"cannot write {path}: {error.strerror}; name a file that you may write") from None


def _takes_bytes_at_once(path: str) -> bool:
    """Whether ``path`` is a device or a pipe: it must not be replaced by a file."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - of what a link names
    except FileNotFoundError:
        return False


class _Terminal(RawIOBase):
    """Shows what is written as text and nothing else: names and output in it could repaint the screen."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        self._stream.write(inert(self._decoder.decode(data)).encode())
        return memoryview(data).nbytes

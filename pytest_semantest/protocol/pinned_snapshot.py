"""One snapshot for all shards of a run: whoever asks first for a run pins what there is, be it nothing.

Shards of a run begin one after the other, and each one that ends makes a new snapshot. Standard library only.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256

from pytest_semantest.protocol.layout import PINNED_SNAPSHOTS, TEST_SNAPSHOT

#: Pins that are older, or beyond so many, are forgotten.
_KEPT_S = 7 * 86_400
_KEPT = 200


def pinned_snapshot(directory: str, run_id: str) -> str:
    """The path of the snapshot that all shards of the run go by; an empty file when the first of them had none.

    A pin is a second name of the snapshot, which is always replaced whole. Raises ``OSError`` where it cannot be made.
    """
    path = pin_of(directory, run_id)
    if not os.path.exists(path):
        folder = os.path.dirname(path)
        os.makedirs(folder, 0o700, exist_ok=True)
        forget_old(folder, _KEPT, _KEPT_S)
        with suppress(FileExistsError):  # another shard was first
            try:
                os.link(os.path.join(directory, TEST_SNAPSHOT), path, follow_symlinks=False)
            except FileNotFoundError:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path


def pin_of(directory: str, run_id: str) -> str:
    """Where the pin of a run is, or would be."""
    name = sha256(run_id.encode(errors="surrogatepass")).hexdigest()[:32]
    return os.path.join(directory, PINNED_SNAPSHOTS, f"{name}.json")


def forget_old(folder: str, most: int, seconds: float) -> None:
    """Deletes files that are older, and the oldest beyond so many.

    By ``st_ctime``, which changes with each name and link.
    """
    files = []
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):  # another session's draft, or one that it deletes here
            files.append((entry.stat(follow_symlinks=False).st_ctime, entry.path))
    for number, (changed, path) in enumerate(sorted(files, reverse=True)):
        if number >= most or changed < time.time() - seconds:
            with suppress(OSError):
                os.unlink(path)

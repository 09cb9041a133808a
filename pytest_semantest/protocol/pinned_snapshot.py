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
    folder = os.path.join(directory, PINNED_SNAPSHOTS)
    path = os.path.join(folder, f"{sha256(run_id.encode(errors='surrogatepass')).hexdigest()[:32]}.json")
    if not os.path.exists(path):
        os.makedirs(folder, 0o700, exist_ok=True)
        _forget(folder)
        with suppress(FileExistsError):  # another shard was first
            try:
                os.link(os.path.join(directory, TEST_SNAPSHOT), path, follow_symlinks=False)
            except FileNotFoundError:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return path


def _forget(folder: str) -> None:
    """Deletes pins of runs that are long over; what links and names are made of changes ``st_ctime``."""
    pins = sorted(
        ((entry.stat(follow_symlinks=False).st_ctime, entry.path) for entry in os.scandir(folder)), reverse=True
    )
    for number, (changed, path) in enumerate(pins):
        if number >= _KEPT or changed < time.time() - _KEPT_S:
            with suppress(OSError):
                os.unlink(path)

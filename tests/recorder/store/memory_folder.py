"""A folder in memory, for property tests of what is in a database: on a disk they would mostly wait for it.

What is killed leaves the same files behind in either; only a loss of power tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_MEMORY = "/dev/shm"


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A new folder in memory, on the disk where the system has no such place; gone at the end."""
    with TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)

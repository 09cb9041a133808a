"""What a recorder uses at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from pytest_semantest.protocol.layout import DATABASE


@dataclass(frozen=True)
class Sample:
    """``at_s``: seconds since the soak began; sizes in bytes; ``steps``: how many were carried out until then.

    ``pss``: resident memory with its share of what other processes use, too; where that cannot be told, as ``rss``.
    """

    at_s: float
    steps: int
    rss: int
    pss: int
    descriptors: int
    threads: int
    wal: int
    database: int


def take_sample(pid: int, folder: Path, at_s: float, steps: int) -> Sample:
    """Raises ``psutil.NoSuchProcess`` when the recorder is gone."""
    process = psutil.Process(pid)
    memory = process.memory_full_info()
    return Sample(
        at_s,
        steps,
        memory.rss,
        getattr(memory, "pss", memory.rss),
        process.num_fds(),
        process.num_threads(),
        _size(folder / f"{DATABASE}-wal"),
        _size(folder / DATABASE),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

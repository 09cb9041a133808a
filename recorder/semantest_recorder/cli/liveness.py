"""Whether the process that wrote a journal still runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_semantest.protocol.liveness import JournalWriter, is_fresh


def writer_is_alive(start: Mapping[str, Any], started_ms: float, written_ms: float, now_ms: float) -> bool:
    """Whether the process of a source's first event runs.

    ``start`` and ``started_ms`` are that event's payload and timestamp, ``written_ms`` is when its journal was last
    written. A process that cannot be seen from here is taken for alive while its journal is fresh.
    """
    writer = JournalWriter(start, started_ms)
    if writer.pid is None:
        return False
    if writer.foreign:
        return is_fresh(written_ms, now_ms)
    import psutil  # noqa: PLC0415 - 20 ms for the few who need it

    try:
        process = psutil.Process(writer.pid)
        return process.status() != psutil.STATUS_ZOMBIE and writer.is_process(lambda: process.create_time() * 1000)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True

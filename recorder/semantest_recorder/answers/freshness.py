"""Whether an answer that was given before is still the one."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from semantest_recorder.store.change_stamp import Stamp, closed_stamp, run_stamp
from semantest_recorder.store.reader import Reader

__all__ = ["Stamp", "run_version", "stamp_of"]


def stamp_of(database: Path, run: str | None = None, while_open: object = None) -> Stamp:
    """Changes with everything that answers about closed runs, and about the run called ``run``, are made of.

    ``while_open`` is part of it while that run goes on: of a test that runs, only the clock tells for how long. Raises
    what ``Reader`` raises.
    """
    found = None if run is None else Reader(database).run(run)
    with snapshot(database) as connection:
        closed = closed_stamp(connection)
        if found is None:
            return closed
        moment = None if found.state in CLOSED_RUN_STATES else while_open
        return (found.id, moment, run_stamp(connection, found.id), *closed)


def run_version(database: Path, run_id: str) -> str:
    """A short text that differs after every event of the run with this id. Raises what ``Reader`` raises."""
    with snapshot(database) as connection:
        return f"{crc32(repr(run_stamp(connection, run_id)).encode()):08x}"

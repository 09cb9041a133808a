"""Whether an answer that was given before is still the one."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.store.change_stamp import Stamp, closed_stamp, run_stamp
from semantest_recorder.store.reader import Reader

__all__ = ["Stamp", "stamp_of"]


def stamp_of(database: Path, run: str | None = None) -> Stamp:
    """Changes with everything that answers about closed runs, and about the run called ``run``, are made of.

    Raises what ``Reader`` raises.
    """
    run_id = None if run is None else Reader(database).run(run).id
    with snapshot(database) as connection:
        closed = closed_stamp(connection)
        return closed if run_id is None else (run_id, run_stamp(connection, run_id), *closed)

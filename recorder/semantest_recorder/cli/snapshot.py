"""A copy of the database at this moment, to look at while a recorder goes on writing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from pytest_semantest.protocol.liveness import process_exists

_PREFIX = ".snapshot-"


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """The path of a whole copy of the folder's database, in a folder of its own that is gone afterwards.

    Raises ``StoreError`` or ``OSError`` when it cannot be made.
    """
    from semantest_recorder.store.backup import back_up  # noqa: PLC0415 - not what other commands need

    _remove_those_of_the_dead(folder)
    place = folder / f"{_PREFIX}{os.getpid()}"
    place.mkdir(mode=0o700)
    try:
        back_up(folder / DATABASE, place / DATABASE, overwrite=False)
        yield place / DATABASE
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_those_of_the_dead(folder: Path) -> None:
    for place in folder.glob(f"{_PREFIX}*"):
        pid = place.name.removeprefix(_PREFIX)
        if not pid.isdigit() or not process_exists(int(pid)) or int(pid) == os.getpid():
            shutil.rmtree(place, ignore_errors=True)

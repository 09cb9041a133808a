"""``unsent-runs.json``: runs that a recorder could not send before its end, for the next one on the same folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec

from pytest_semantest.protocol.layout import UNSENT_RUNS
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.whole_file import write_whole
from semantest_recorder.plugins.builtin.export_queue import MOST_RUNS

#: One of them may be about to be sent.
_Runs = Annotated[list[str], msgspec.Meta(max_length=MOST_RUNS + 1)]


def keep_unsent(directory: Path, runs: Sequence[str], log: logging.Logger) -> None:
    """Keeps their ids, the oldest first. Blocks; should it fail, the log says so."""
    try:
        write_whole(directory / UNSENT_RUNS, msgspec.json.encode(runs))
    except OSError as error:
        log.warning("which runs were not sent will not be known: %s", error.strerror)


def take_unsent(directory: Path) -> list[str]:
    """The ids that were kept, which are not any more; none where there is no such file, or one that says nothing."""
    path = directory / UNSENT_RUNS
    try:
        content, _facts = read_small_file(path)
        runs: list[str] = msgspec.json.decode(content, type=_Runs)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        runs = []
    with suppress(OSError):
        path.unlink()
    return runs

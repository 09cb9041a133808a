"""Runs of which the database lacks something, out of their journals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_semantest.protocol.layout import SHIP_STATE, session_folders
from pytest_semantest.protocol.lock_holders import has_shipper
from pytest_semantest.protocol.small_file import read_object
from semantest_recorder.cli.lookup import FoundRun
from semantest_recorder.cli.take_in import bound_elsewhere
from semantest_recorder.store.reader import Reader

if TYPE_CHECKING:
    from semantest_recorder.cli.recovery import SessionHead

#: States of a shipper (ship.json) that lives, and whose session is in the database, but for its last moments.
_KEEPS_UP = ("shipping", "idle", "done")


def heads_behind(folder: Path, note: str) -> list[SessionHead]:
    """The sessions that nobody brings to the project's recorder; all of them when ``note`` says why that failed."""
    behind = [
        session for session in session_folders(folder) if note or bound_elsewhere(session) or not _is_kept_up(session)
    ]
    if not behind:
        return []
    from semantest_recorder.cli.recovery import session_head  # noqa: PLC0415

    return [session_head(session) for session in behind]


def _is_kept_up(session: Path) -> bool:
    return read_object(session / SHIP_STATE).get("state") in _KEEPS_UP and has_shipper(session)


def journal_run(own: list[SessionHead], reader: Reader | None) -> FoundRun:
    """The run of ``own``, on top of what ``reader`` has of it. What cannot be read is noted; raises what it raises."""
    from semantest_recorder.cli.recovery import recover  # noqa: PLC0415

    recovered = recover(own, reader)
    recovered.found.notes += recovered.unreadable
    return recovered.found


def why_journals(own: list[SessionHead], note: str) -> str:
    """Why a run is read from its journals."""
    url = bound_elsewhere(own[0].folder)
    return note or (f"meant for the recorder at {url}" if url else "no recorder has it yet")

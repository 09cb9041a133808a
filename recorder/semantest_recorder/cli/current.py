"""The run that a command asked for, after what was left over has been taken in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_semantest.protocol.layout import SHIP_STATE, session_folders
from semantest_recorder.cli.lookup import FoundRun, StoredPayloads, reader_of, stored_rows
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.cli.take_in import SHIPPED, bound_elsewhere, read_object, take_in
from semantest_recorder.core.rows import RunRow
from semantest_recorder.store.errors import (
    AmbiguousRun,
    CannotOpen,
    DatabaseTooNew,
    DatabaseTooOld,
    NoDatabase,
    NotOurs,
    RunNotFound,
)
from semantest_recorder.store.reader import Reader

if TYPE_CHECKING:
    from semantest_recorder.cli.recovery import SessionHead

#: States of a shipper (ship.json) whose session is in the database, but for its last moments.
_KEEPS_UP = ("shipping", "idle", "done")


def current_run(folder: Path, name: str, sync_seconds: float, *, explained_only: bool = False) -> FoundRun:
    """The run called ``name`` (id, unique prefix or ``last``) with everything that is known of it.

    ``explained_only``: attempts are wanted only if a test of the run is not plainly green.

    Journals that the recorder does not have yet are shipped first, for at most ``sync_seconds`` (0: not at all);
    those that cannot be shipped are read directly. Raises what ``store.reader.Reader`` raises.
    """
    note = take_in_leftovers(folder, sync_seconds)
    sessions = session_folders(folder)
    behind = [session for session in sessions if note or bound_elsewhere(session) or not _is_kept_up(session)]
    heads = _heads(behind)
    notes = session_notes(folder) + [told for head in heads for told in head.unreadable]
    reader = reader_of(folder)
    try:
        found = _find(name, reader, heads, note, explained_only=explained_only)
    except (CannotOpen, DatabaseTooNew, DatabaseTooOld, NotOurs) as error:
        try:
            found = _find(name, None, heads, note, explained_only=explained_only)
        except RunNotFound:
            raise error from None
        notes.append(f"without what the database has: {error}")
    found.notes[:0] = [told for told in notes if told not in found.notes]
    return found


def _heads(sessions: list[Path]) -> list[SessionHead]:
    if not sessions:
        return []
    from semantest_recorder.cli.recovery import session_head  # noqa: PLC0415

    return [session_head(session) for session in sessions]


def _find(name: str, reader: Reader | None, heads: list[SessionHead], note: str, *, explained_only: bool) -> FoundRun:
    """The run out of its journals, else out of the database; ``reader``: ``None`` when that cannot be read."""
    run_id = _resolve(name, reader, heads) if heads else name
    own = [head for head in heads if head.run_id == run_id]
    if own:
        from semantest_recorder.cli.recovery import recover  # noqa: PLC0415

        recovered = recover(own, reader)
        url = bound_elsewhere(own[0].folder)
        reason = note or (f"it is meant for the recorder at {url}" if url else "no recorder has it yet")
        notes = [*recovered.unreadable, f"run {run_id} was read from its journals: {reason}"]
        recovered.found.notes += notes
        return recovered.found
    if reader is None:
        raise RunNotFound(name, [])
    rows = stored_rows(reader, reader.run(run_id), explained_only=explained_only)
    notes = [f"some sessions are not in the database yet: {note}"] if note else []
    return FoundRun(rows, StoredPayloads(reader.path), notes)


def take_in_leftovers(folder: Path, seconds: float) -> str:
    """Ship what is left over; why not all of it could be shipped, or an empty text."""
    if seconds <= 0 or not session_folders(folder):
        return ""
    shipped = take_in(folder, seconds)
    if shipped.exit_code == SHIPPED:
        return ""
    return shipped.said.splitlines()[-1] if shipped.said else f"the shipper did not finish in {seconds:g} s"


def _is_kept_up(session: Path) -> bool:
    """Whether a shipper says that it keeps up with this session."""
    return read_object(session / SHIP_STATE).get("state") in _KEEPS_UP


def _resolve(name: str, reader: Reader | None, heads: list[SessionHead]) -> str:
    """The id of the run called ``name``, be it in the database or only in journals. Raises ``RunNotFound``."""
    started = {head.run_id: head.started_ms for head in heads}
    if name == "last":
        run = _stored(name, reader)
        if run is not None:
            started.setdefault(run.id, run.started_ms or 0.0)
        if not started:
            raise RunNotFound(name, [])
        return max(started, key=lambda run_id: started[run_id])
    if name in started:
        return name
    matches = {run_id for run_id in started if run_id.startswith(name)}
    run = _stored(name, reader, required=not matches)
    if run is not None:
        matches.add(run.id)
    if not matches:
        raise RunNotFound(name, [])
    if len(matches) > 1:
        raise AmbiguousRun(name, sorted(matches))
    return matches.pop()


def _stored(name: str, reader: Reader | None, *, required: bool = False) -> RunRow | None:
    """The run as the database has it; when it is ``required``, raises ``NoDatabase`` or ``RunNotFound`` instead."""
    if reader is None:
        return None
    try:
        return reader.run(name)
    except (NoDatabase, RunNotFound):
        if required:
            raise
        return None

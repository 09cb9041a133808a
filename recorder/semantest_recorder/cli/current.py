"""The run that a command asked for, after what was left over has been taken in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pytest_semantest.protocol.layout import SHIP_STATE, session_folders
from semantest_recorder.cli.lookup import FoundRun, StoredPayloads, reader_of, stored_rows
from semantest_recorder.cli.take_in import SHIPPED, bound_elsewhere, take_in
from semantest_recorder.store.errors import AmbiguousRun, NoDatabase, RunNotFound
from semantest_recorder.store.reader import Reader

if TYPE_CHECKING:
    from semantest_recorder.cli.recovery import SessionHead

#: States of a shipper (ship.json) whose session is in the database, but for its last moments.
_KEEPS_UP = frozenset({"shipping", "idle", "done"})


def current_run(folder: Path, name: str, sync_seconds: float, *, explained_only: bool = False) -> FoundRun:
    """The run called ``name`` (id, unique prefix or ``last``) with everything that is known of it.

    ``explained_only``: attempts are wanted only if a test of the run is not plainly green.

    Journals that the recorder does not have yet are shipped first, for at most ``sync_seconds`` (0: not at all);
    those that cannot be shipped are read directly. Raises what ``store.reader.Reader`` raises.
    """
    note = take_in_leftovers(folder, sync_seconds)
    reader = reader_of(folder)
    behind = [
        session for session in session_folders(folder) if note or bound_elsewhere(session) or not _is_kept_up(session)
    ]
    if behind:
        from semantest_recorder.cli.recovery import recover, session_head  # noqa: PLC0415

        heads = [session_head(session) for session in behind]
        run_id = _resolve(name, reader, heads)
        own = [head for head in heads if head.run_id == run_id]
        if own:
            found = recover(own, reader).found
            url = bound_elsewhere(own[0].folder)
            reason = note or (f"it is meant for the recorder at {url}" if url else "no recorder has it yet")
            found.notes.append(f"run {run_id} was read from its journals: {reason}")
            return found
        name = run_id
    found = FoundRun(
        stored_rows(reader, reader.run(name), explained_only=explained_only), StoredPayloads(reader.path), []
    )
    if note:
        found.notes.append(f"some sessions are not in the database yet: {note}")
    return found


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
    try:
        state = msgspec.json.decode((session / SHIP_STATE).read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return isinstance(state, dict) and state.get("state") in _KEEPS_UP


def _resolve(name: str, reader: Reader, heads: list[SessionHead]) -> str:
    """The id of the run called ``name``, be it in the database or only in journals."""
    started = {head.run_id: head.started_ms for head in heads}
    if name == "last":
        try:
            run = reader.run(name)
        except (NoDatabase, RunNotFound):
            pass
        else:
            started.setdefault(run.id, run.started_ms or 0.0)
        return max(started, key=lambda run_id: started[run_id])
    if name in started:
        return name
    matches = {run_id for run_id in started if run_id.startswith(name)}
    try:
        matches.add(reader.run(name).id)
    except (NoDatabase, RunNotFound):
        if not matches:
            raise
    if len(matches) > 1:
        raise AmbiguousRun(name, sorted(matches))
    return matches.pop()

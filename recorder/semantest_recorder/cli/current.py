"""The run that a command asked for, after what was left over has been taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from semantest_recorder.cli.journal_runs import heads_behind, journal_run, why_journals
from semantest_recorder.cli.leftovers import take_in_leftovers, unstored_notes
from semantest_recorder.cli.lookup import CANNOT_READ, FoundRun, reader_of
from semantest_recorder.cli.rereading import reread_when_shipped
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.core.rows import RunRow
from semantest_recorder.owed_reading import chain_of
from semantest_recorder.store.errors import AmbiguousRun, NoDatabase, RunNotFound
from semantest_recorder.store.reader import Reader
from semantest_recorder.stored_run import StoredPayloads, stored_rows

if TYPE_CHECKING:
    from semantest_recorder.cli.recovery import SessionHead


def current_run(folder: Path, name: str, sync_seconds: float | None, *, explained_only: bool = False) -> FoundRun:
    """The run called ``name`` (id, unique prefix or ``last``) with everything that is known of it.

    ``explained_only``: attempts are wanted only of tests that are not plainly green.

    Journals that the recorder does not have yet are shipped first, for at most ``sync_seconds`` (0: not at all);
    those that cannot be shipped are read directly, and with ``None`` seconds all that are not in the database yet.
    Raises what ``store.reader.Reader`` raises.
    """
    note = _taken_in(folder, sync_seconds)
    return reread_when_shipped(lambda: _current(folder, name, note, explained_only=explained_only))


def current_runs(folder: Path, names: Sequence[str], sync_seconds: float | None) -> list[Callable[[], FoundRun]]:
    """How to find each of the runs called ``names``, one named twice only once; as :func:`current_run`.

    Raises what :func:`current_run` raises for a name that means no run, before any run is read.
    """
    note = _taken_in(folder, sync_seconds)
    ids = reread_when_shipped(lambda: [_id_of(folder, name, note) for name in names])
    return [partial(_reread, folder, run_id, note) for run_id in dict.fromkeys(ids)]


def _taken_in(folder: Path, seconds: float | None) -> str:
    return "nothing was to be shipped" if seconds is None else take_in_leftovers(folder, seconds)


def _reread(folder: Path, run_id: str, note: str) -> FoundRun:
    return reread_when_shipped(lambda: _current(folder, run_id, note, explained_only=False))


def _id_of(folder: Path, name: str, note: str) -> str:
    heads, reader = heads_behind(folder, note), reader_of(folder)
    try:
        return _resolve(name, reader, heads) if heads else reader.run(name).id
    except CANNOT_READ as error:
        try:
            return _resolve(name, None, heads)
        except RunNotFound:
            raise error from None


def _current(folder: Path, name: str, note: str, *, explained_only: bool) -> FoundRun:
    heads = heads_behind(folder, note)
    notes = session_notes(folder) + [told for head in heads for told in head.unreadable]
    reader = reader_of(folder)
    try:
        found = _find(name, reader, heads, note, explained_only=explained_only)
    except CANNOT_READ as error:
        try:
            found = _find(name, None, heads, note, explained_only=explained_only)
        except RunNotFound:
            raise error from None
        notes.append(f"without what the database has: {error}")
    found.notes[:0] = [told for told in notes if told not in found.notes]
    return found


def _find(name: str, reader: Reader | None, heads: list[SessionHead], note: str, *, explained_only: bool) -> FoundRun:
    """The run out of its journals, else out of the database; ``reader``: ``None`` when that cannot be read."""
    run_id = _resolve(name, reader, heads) if heads else name
    own = [head for head in heads if head.run_id == run_id]
    if own:
        found = journal_run(own, reader)
        found.rows.chain = chain_of(reader, found.rows)
        found.notes.append(f"run {run_id} was read from its journals: {why_journals(own, note)}")
        return found
    if reader is None:
        raise RunNotFound(name, [])
    rows = stored_rows(reader, reader.run(run_id), explained_only=explained_only)
    rows.chain = chain_of(reader, rows)
    payloads = StoredPayloads(reader.path)
    return FoundRun(rows, payloads, unstored_notes(note), partial(payloads.test_events, rows.run.id))


def _resolve(name: str, reader: Reader | None, heads: list[SessionHead]) -> str:
    """The id of the run called ``name``, be it in the database or only in journals. Raises ``RunNotFound``."""
    started = {head.run_id: head.started_ms for head in heads}
    if name == "last":
        run = _stored(name, reader)
        if run is not None and reader is not None:
            started.setdefault(run.id, reader.since_ms([run.id]).get(run.id, 0.0))
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

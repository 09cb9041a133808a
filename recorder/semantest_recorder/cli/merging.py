"""Merges runs: sources of other histories into this one, and copies of runs into a new run."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from pytest_semantest.protocol.identity import CLIENT_WORKER, MAIN_WORKER, source_name
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.merge_places import Place, copy_attachments, offered
from semantest_recorder.cli.offline import offline
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.batch import LIVE
from semantest_recorder.reports.aggregate import count_states
from semantest_recorder.reports.merge_result import MergedRun
from semantest_recorder.store.cleanup import Cleanup
from semantest_recorder.store.errors import NoDatabase
from semantest_recorder.store.known import announced_shards, deleted_source, run_of_source
from semantest_recorder.store.loading import load_run
from semantest_recorder.store.merging import Merger, Offer, Taken, copy_of, expectation, offers_of
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.schema import creation_script


class Wanted(msgspec.Struct):
    """What is to be merged: ``places``, and ``runs`` of this history.

    ``run_id``: the new run, if there is to be one; ``only``: the one run that is wanted of all that the places have.
    ``expected``: of how many sessions the run is to be; ``None`` goes by the shards that the sessions announce.
    """

    places: list[Place]
    runs: list[str]
    run_id: str | None
    expected: int | None
    remove_originals: bool
    only: str | None = None


class Merged(msgspec.Struct):
    """What came of it."""

    sources: list[Taken] = msgspec.field(default_factory=list)
    runs: list[MergedRun] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)
    attachments: int = 0
    removed: list[str] = msgspec.field(default_factory=list)
    kept: list[str] = msgspec.field(default_factory=list)


def plan(folder: Path, wanted: Wanted) -> Merged:
    """What merging would do, as far as that can be told without it. Raises what reading the database raises."""
    with _reading(folder) as connection:
        merger = Merger(connection, _now_ms())
        return _merged(connection, wanted, merger.would_take)


def merge(folder: Path, wanted: Wanted, *, stop_recorder: bool) -> Merged:
    """Merges while no recorder runs. Raises ``Stop``, and ``sqlite3.Error`` when the database cannot be written."""
    with offline(folder, stop_recorder=stop_recorder) as database:
        connection, _notices = open_for_writing(database, _now_ms)
        with closing(connection):
            for_attachments = sum(copy_attachments(place, folder) for place in wanted.places)
            merger = Merger(connection, _now_ms())
            merged = _merged(connection, wanted, merger.take)
            merged.attachments = for_attachments
            targets = sorted({taken.run for taken in merged.sources if taken.refused is None})
            for run_id in targets:
                _expect(connection, merger, run_id, wanted.expected)
            merged.runs = [_told(connection, run_id) for run_id in targets]
            if wanted.remove_originals and all(taken.refused is None for taken in merged.sources):
                _remove(merger, wanted.runs, merged)
    return merged


def _merged(connection: sqlite3.Connection, wanted: Wanted, take: Callable[[Offer], Taken]) -> Merged:
    merged = Merged()
    with ExitStack() as stack:
        offers = [offer for run in wanted.runs for offer in offers_of(connection, run)]
        for place in wanted.places:
            offers += stack.enter_context(offered(place, merged.problems))
        if wanted.only is not None:
            offers = [offer for offer in offers if offer.run_id == wanted.only]
        if wanted.run_id is not None:
            offers = list(_copies(connection, offers, wanted.run_id))
        _require_one_run(offers, wanted)
        merged.sources = [take(offer) for offer in _mains_last(offers)]
    return merged


def _require_one_run(offers: Sequence[Offer], wanted: Wanted) -> None:
    """Raises ``Stop`` when it is not clear of which run there are to be so many sessions."""
    runs = sorted({offer.run_id for offer in offers})
    if wanted.expected is not None and len(runs) > 1:
        names = f"{', '.join(runs[:3])}{' ...' if len(runs) > 3 else ''}"
        raise Stop(f"--expect is for one run, and these are {len(runs)} ({names}): name it with --run", EXIT_USAGE)


def _mains_last(offers: Iterable[Offer]) -> list[Offer]:
    """Workers before the end of their main: so no moment of it looks over."""
    return sorted(offers, key=lambda offer: (offer.session, offer.worker == MAIN_WORKER))


def _copies(connection: sqlite3.Connection, offers: Sequence[Offer], run_id: str) -> Iterator[Offer]:
    """Copies of sources for the new run; those that are of this very run are taken as they are."""
    by_run: dict[str, list[Offer]] = {}
    for offer in offers:
        by_run.setdefault(offer.run_id, []).append(offer)
    yield from by_run.pop(run_id, ())
    for own in by_run.values():
        sessions = {offer.session: _name_of_copy(connection, run_id, offer.session, own) for offer in own}
        yield from (copy_of(offer, run_id, sessions) for offer in own)


def _name_of_copy(connection: sqlite3.Connection, run_id: str, session: str, offers: Sequence[Offer]) -> str:
    workers = [offer.worker for offer in offers if offer.session == session]
    beginning = LIVE if session.startswith(LIVE) else ""  # what the recorder wrote stays its word
    return _free_name(connection, f"{run_id} {session}", workers, beginning)


def _free_name(connection: sqlite3.Connection, about: str, workers: Sequence[str], beginning: str = "") -> str:
    """The name of a session of ours; another one when that was deleted: nothing of it would be taken again."""
    base = f"{beginning}merge-{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    name, number = base, 1
    while any(deleted_source(connection, f"{name}.{worker}") for worker in workers):
        number += 1
        name = f"{base}-{number}"
    return name


def _expect(connection: sqlite3.Connection, merger: Merger, run_id: str, expected: int | None) -> None:
    """Notes of how many sessions the run is to be, where the user or the sessions say so."""
    sessions = expected or announced_shards(connection, run_id)
    if sessions:
        session = _free_name(connection, f"{run_id} expects {sessions}", [CLIENT_WORKER])
        if run_of_source(connection, source_name(session, CLIENT_WORKER)) is None:
            merger.take(expectation(run_id, session, sessions, _now_ms()))


def _told(connection: sqlite3.Connection, run_id: str) -> MergedRun:
    state = load_run(connection, run_id)
    rows = [source.row for source in state.sources.values()]
    return MergedRun(
        run=run_id,
        state=state.run.state,
        gaps=state.run.gaps,
        sessions=sum(row.worker == MAIN_WORKER for row in rows),
        expected=max((row.expected for row in rows), default=0),
        counts=count_states((test.result.state for test in state.tests.values()), closed=True),
        quarantined=state.run.quarantined,
        shard_count=state.run.shard_count,
        shards_missing=state.run.shards_missing,
    )


def _remove(merger: Merger, runs: Sequence[str], merged: Merged) -> None:
    work = Cleanup(runs, _now_ms())
    while work.step(merger.ingest):
        pass
    merged.removed, merged.kept = work.cleaned.deleted, work.cleaned.kept


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """The history as it is; where there is none yet, an empty one."""
    try:
        connection = connect_read_only(folder / DATABASE)
    except NoDatabase:
        connection = sqlite3.connect(":memory:")
        connection.executescript(creation_script())
    with closing(connection):
        yield connection


def _now_ms() -> float:
    return time.time() * 1000.0

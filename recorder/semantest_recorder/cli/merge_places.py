"""Where histories to merge lie: ``.semantest`` folders and databases that were copied from elsewhere."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS, MAX_ARTIFACT, is_sha256
from pytest_semantest.protocol.identity import MAIN_WORKER
from pytest_semantest.protocol.layout import DATABASE, DIRECTORY, SESSIONS, journal_paths, session_folders
from pytest_semantest.protocol.reading import open_to_read, refuse_link
from semantest_recorder.cli.recovery import events_by_source, session_head
from semantest_recorder.cli.stop import EXIT_NOTHING, Stop
from semantest_recorder.store.artifacts import ArtifactStore
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.merging import Offer, offers_of, told_events
from semantest_recorder.store.read_only import connect_read_only

#: How deep below a named folder ``.semantest`` folders are looked for: ``artifacts/<job>/<project>/.semantest``.
_DEPTH = 3
_CHUNK = 1024 * 1024


class Place(msgspec.Struct):
    """One history: a database, and the folder that it lies in, where that is a ``.semantest`` folder."""

    name: str
    database: Path | None
    folder: Path | None


def places_in(path: Path) -> list[Place]:
    """The histories that a path means. Raises ``Stop`` when there is none."""
    if path.is_file():
        return [Place(str(path), path, None)]
    found = list(_folders(path, _DEPTH))
    if not found:
        raise Stop(f"{path} holds no {DIRECTORY} folder and no {DATABASE}: name one that does", EXIT_NOTHING)
    return [Place(str(one), one / DATABASE if (one / DATABASE).exists() else None, one) for one in found]


def _folders(path: Path, depth: int) -> Iterator[Path]:
    if (path / DATABASE).exists() or (path / SESSIONS).is_dir():
        yield path
        return
    inside = sorted(path.iterdir()) if depth else []
    for one in inside:
        if one.is_dir() and not one.is_symlink():
            yield from _folders(one, depth - 1)


@contextmanager
def offered(place: Place, problems: list[str]) -> Iterator[list[Offer]]:
    """The sources of a place while its database is open; what cannot be read is told in ``problems``."""
    offers: dict[str, Offer] = {}
    connection: sqlite3.Connection | None = None
    try:
        if place.database is not None:
            try:
                if place.folder is not None:
                    refuse_link(place.database)  # it would have another project's history merged
                connection = connect_read_only(place.database)
                offers = {offer.source: offer for offer in offers_of(connection)}
            except (StoreError, sqlite3.Error) as error:
                problems.append(f"{place.database} cannot be read: {error}")
            except OSError as error:
                problems.append(f"{place.database} cannot be read: {error.strerror}")
        if place.folder is not None:
            for offer in _unshipped(place.folder, problems):
                stored = offers.get(offer.source)
                if stored is None or offer.last_seq > stored.last_seq:
                    offers[offer.source] = offer
        yield list(offers.values())
    finally:
        if connection is not None:
            connection.close()


def _unshipped(folder: Path, problems: list[str]) -> Iterator[Offer]:
    """The sources whose journals lie in a folder: nothing of them was shipped, or not all."""
    for session in session_folders(folder):
        yield from _of_session(session, problems)


def _of_session(session: Path, problems: list[str]) -> Iterator[Offer]:
    """The sources of a session whose journals were not shipped, closed as a report would close them."""
    try:
        for journal in journal_paths(session):
            os.close(open_to_read(journal))  # a link would have another project's journal merged
        head = session_head(session)
        events, still_runs = events_by_source(head)
    except OSError as error:
        problems.append(f"session {session.name} in {session.parent.parent} cannot be read: {error.strerror}")
        return
    if still_runs:
        problems.append(f"session {session.name} in {session.parent.parent} still runs: merge it when it is over")
        return
    for source, told in events.items():
        yield told_events(source, head.session, source.rpartition(".")[2] or MAIN_WORKER, head.run_id, told)


def copy_attachments(place: Place, folder: Path) -> int:
    """Copies the attachments of a place that this folder lacks; how many. Raises ``OSError`` when it cannot write."""
    if place.folder is None:
        return 0
    store, copied = ArtifactStore(folder), 0
    roots = [place.folder / ARTIFACTS, *(session / ARTIFACTS for session in session_folders(place.folder))]
    for root in roots:
        for directory, folders, names in os.walk(root):
            folders[:] = [name for name in folders if len(name) == 2]
            for name in names:
                if is_sha256(name) and not store.renew(name):
                    copied += _copy(Path(directory, name), name, store)
    return copied


def _copy(path: Path, sha256: str, store: ArtifactStore) -> bool:
    """Whether a file has what its name says, and is here now."""
    try:
        descriptor = open_to_read(path)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        incoming = store.begin(sha256)
        try:
            while (chunk := file.read(_CHUNK)) and incoming.size <= MAX_ARTIFACT:
                incoming.write(chunk)
            return incoming.size <= MAX_ARTIFACT and incoming.commit()
        finally:
            with suppress(OSError):
                incoming.abort()

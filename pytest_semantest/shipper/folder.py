"""A session's folder: whether its processes live, and its end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256
from pytest_semantest.protocol.closing import JournalDigest
from pytest_semantest.protocol.identity import SHIPPER_WORKER
from pytest_semantest.protocol.layout import (
    DAMAGED,
    JOURNAL_SUFFIX,
    SESSIONS,
    SHIP_LOCK,
    SHIP_STATE,
    SHIP_YIELD,
    STATUS_SUFFIX,
    STOP,
    UNTAKEN,
    has_journal,
    journal_paths,
    visible_folders,
)
from pytest_semantest.protocol.liveness import guessed_start
from pytest_semantest.protocol.reading import refuse_link
from pytest_semantest.shipper.diagnostics import LOG
from pytest_semantest.shipper.following import JournalFollower
from pytest_semantest.shipper.liveness import ProcessWatch

_ENDED_PREFIX = ".done-"
#: A folder without journals is left alone for this long: its session may be about to begin.
_EMPTY_S = 60.0


def lock_of(folder: Path) -> FileLock:
    """The lock that keeps one shipper per session. Raises ``OSError`` when a link lies in its place."""
    refuse_link(folder / SHIP_LOCK)
    return FileLock(folder / SHIP_LOCK)


def is_running(folder: Path, now_ms: float) -> bool:
    """Whether a process of the session may still write, judged from the first records of its journals."""
    journals = journal_paths(folder)
    return any(path.stem != SHIPPER_WORKER and _writer_lives(path, now_ms) for path in journals)


def _writer_lives(path: Path, now_ms: float) -> bool:
    digest = JournalDigest()
    try:
        follower = JournalFollower(path)
    except OSError:
        return False
    try:
        for entry in follower.read():
            digest.observe(entry.seq, entry.body)
            if entry.gap:
                digest.start = guessed_start(path.with_suffix(STATUS_SUFFIX), {})
                digest.started_ms = follower.modified_ms()
            break
        if digest.start is None:
            return False
        watch = ProcessWatch(digest.start, digest.started_ms or 0.0)
        try:
            return watch.alive(follower.modified_ms(), now_ms)
        finally:
            watch.close()
    finally:
        follower.close()


def remove(folder: Path, damaged: Iterable[Path] = (), untaken: Iterable[Path] = ()) -> list[str]:
    """Deletes a session's folder, all of which is acknowledged; gives the names of files that were left.

    ``damaged`` journals and artifacts are moved to ``.semantest/damaged/``, ``untaken`` artifacts to
    ``.semantest/untaken/<session>/``; files that are not the shipper's business stay. The folder is renamed first, so
    that half a folder is never taken for a session. Raises ``OSError``.
    """
    keep = folder.parent.parent / DAMAGED
    for path in damaged:
        keep.mkdir(mode=0o700, exist_ok=True)
        path.replace(keep / f"{folder.name}.{path.name}")
    for path in untaken:
        place = untaken_folder(folder)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(place / path.name)
    strange = [path.name for path in folder.iterdir() if not _is_ours(path)]
    ended = folder if strange else folder.rename(folder.with_name(f"{_ENDED_PREFIX}{folder.name}"))
    for path in ended.iterdir():
        if path.is_dir() and _is_ours(path):
            shutil.rmtree(path)
        elif _is_ours(path):
            path.unlink()
    if not strange:
        ended.rmdir()
    return strange


def untaken_folder(folder: Path) -> Path:
    """Where the attachments of a session go that the server does not take."""
    return folder.parent.parent / UNTAKEN / folder.name


def sweep(directory: Path) -> None:
    """Deletes what a shipper that was killed while deleting has left, and folders in which no session ever began."""
    for leftover in (directory / SESSIONS).glob(f"{_ENDED_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for folder in visible_folders(directory):
        with suppress(OSError, Timeout):
            if not has_journal(folder) and time.time() - folder.stat().st_mtime > _EMPTY_S:
                _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    """Deletes a folder without journals that nobody holds. Raises ``OSError`` when it holds more, or ``Timeout``."""
    with lock_of(folder).acquire(timeout=0):
        for path in folder.iterdir():
            if _is_ours(path) and path.suffix != JOURNAL_SUFFIX:
                path.unlink()
        folder.rmdir()  # not when a journal has come meanwhile


def _is_ours(path: Path) -> bool:
    if path.name == ARTIFACTS and path.is_dir() and not path.is_symlink():
        return all(is_sha256(one.name) or one.suffix == ".tmp" for one in path.iterdir())
    known = path.name in (SHIP_STATE, SHIP_LOCK, SHIP_YIELD, STOP, LOG) or path.suffix in (
        JOURNAL_SUFFIX,
        STATUS_SUFFIX,
        ".tmp",
    )
    return known and not path.is_dir()

"""Where the snapshot of earlier runs comes from: the file of the project's own recorder, or a recorder elsewhere."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import NamedTuple

from pytest_semantest.protocol.layout import REMOTE_SNAPSHOTS, TEST_SNAPSHOT
from pytest_semantest.protocol.pinned_snapshot import forget_old, pinned_snapshot
from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.protocol.private_folder import make_private_folder
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.snapshot import SNAPSHOT_MAX
from pytest_semantest.selection.asking import ask
from pytest_semantest.selection.snapshot import Snapshot, parse_snapshot
from pytest_semantest.settings import Settings

#: Seconds. So long a session waits for a recorder elsewhere before it goes by what it has.
FETCH_S = 5.0
#: Copies from so many recorders are kept, for so many seconds.
_RECORDERS, _KEPT_S = 20, 30 * 86_400


class Found(NamedTuple):
    """``content`` is the file, empty without one that can be used. ``note``: what the user should know, a line."""

    content: bytes
    snapshot: Snapshot | None
    note: str


def find_snapshot(settings: Settings, *, for_shards: bool) -> Found:
    """The snapshot to go by; one that is on this machine costs no process.

    ``for_shards``: all shards of the run that was named go by the same one.
    """
    run_id = settings.run_id if for_shards else ""
    if not settings.url:
        return _read_own(settings.directory, run_id)
    path = remote_snapshot(settings.directory, settings.url)
    try:
        make_private_folder(settings.directory)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        forget_old(os.path.dirname(path), _RECORDERS, _KEPT_S)
        failure = _fetch(settings, path, run_id)
    except OSError as error:
        failure = f"{error.filename}: {error.strerror}"
    found = _read(path)
    if not failure:
        return found
    kept = f"the one of {age_of(path)} ago is used" if found.snapshot is not None else "there is none from before"
    return found._replace(note=f"no snapshot from {settings.url}: {printable_line(failure)}; {kept}")


def remote_snapshot(directory: str, url: str) -> str:
    """Where the copy from the recorder at this address is: what one knows must not be taken for another's word."""
    name = sha256(url.rstrip("/").encode(errors="surrogatepass")).hexdigest()[:32]
    return os.path.join(directory, REMOTE_SNAPSHOTS, f"{name}.json")


def _fetch(settings: Settings, path: str, run_id: str) -> str:
    """Fetches the snapshot into ``path``; why that did not work, empty when it did."""
    from pytest_semantest.shipper.spawn import fetch_command  # noqa: PLC0415 - only where a recorder elsewhere is asked

    done = ask(settings, fetch_command(settings.url, path, run_id), FETCH_S)
    if done is None:
        return f"no answer in {FETCH_S:g} s"
    return "" if done.returncode == 0 else done.stderr.decode(errors="replace").strip()[-300:] or "it was not fetched"


def _read_own(directory: str, run_id: str) -> Found:
    path = os.path.join(directory, TEST_SNAPSHOT)
    if run_id:
        try:
            make_private_folder(directory)
            path = pinned_snapshot(directory, run_id)
        except OSError as error:
            pinned = f"the shards of {run_id} may go by different snapshots: {error.filename}: {error.strerror}"
            return _read(path)._replace(note=pinned)
    return _read(path)


def _read(path: str) -> Found:
    try:
        content = read_small_file(path, SNAPSHOT_MAX)[0]
        if not content:
            return Found(b"", None, "there is no snapshot of earlier runs")
        return Found(content, parse_snapshot(content), "")
    except FileNotFoundError:
        return Found(b"", None, "there is no snapshot of earlier runs")
    except OSError as error:
        return Found(b"", None, f"the snapshot of earlier runs cannot be read: {error.strerror}")
    except ValueError as error:
        return Found(b"", None, f"the snapshot of earlier runs cannot be used: {error}")


def age_of(path: str) -> str:
    """How long ago a file was written: ``3 hours``."""
    try:
        seconds = max(time.time() - os.stat(path).st_mtime, 0.0)
    except OSError:
        return "unknown time"
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{int(seconds)} s"

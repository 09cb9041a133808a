"""Files of attachments that no event names any more."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256
from semantest_recorder.store.read_only import connect_read_only

#: A file may be there before the event that names it: younger ones stay.
_GRACE_MS = 86_400_000.0
_NAME = re.compile("[0-9a-f]{64}")
_NAMING = "SELECT payload FROM events JOIN sources USING (source_key) WHERE instr(payload, 'sha256') > 0"


class Unnamed(msgspec.Struct):
    """Files that no event names, and how many bytes they have."""

    files: list[Path] = msgspec.field(default_factory=list)
    bytes: int = 0


def unnamed_artifacts(directory: Path, database: Path, now_ms: float) -> Unnamed:
    """The files below ``directory/artifacts`` that are named by their SHA-256 and by no event in ``database``.

    Without those that were written or sent again in the last 24 hours. Raises what ``Reader`` raises, and ``OSError``.
    """
    found = Unnamed()
    old = [
        path
        for path in (directory / ARTIFACTS).glob("[0-9a-f][0-9a-f]/*")
        if is_sha256(path.name) and not path.is_symlink() and _is_old(path, now_ms)
    ]
    named = _named(database) if old else set[str]()
    for path in old:
        if path.name not in named:
            found.files.append(path)
            found.bytes += path.stat().st_size
    return found


def sweep_artifacts(directory: Path, database: Path, now_ms: float) -> Unnamed:
    """Deletes ``unnamed_artifacts`` and gives what is gone. Raises the same."""
    swept = Unnamed()
    for path in unnamed_artifacts(directory, database, now_ms).files:
        if _is_old(path, now_ms):  # it may have been sent again meanwhile
            swept.bytes += path.stat().st_size
            swept.files.append(path)
            path.unlink(missing_ok=True)
    return swept


def _is_old(path: Path, now_ms: float) -> bool:
    return now_ms - path.stat().st_mtime * 1000 > _GRACE_MS


def _named(database: Path) -> set[str]:
    with closing(connect_read_only(database)) as connection:
        return {name for (payload,) in connection.execute(_NAMING) for name in _NAME.findall(payload)}

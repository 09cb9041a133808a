"""Files of attachments that no event names any more."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256
from semantest_recorder.store.reader import connect_read_only

#: A file may be there before the event that names it: younger ones stay.
_GRACE_MS = 86_400_000.0
_NAME = re.compile("[0-9a-f]{64}")
_NAMING = "SELECT payload FROM events JOIN sources USING (source_key) WHERE instr(payload, 'sha256') > 0"


class Swept(msgspec.Struct):
    """How many files were deleted, and of how many bytes."""

    files: int = 0
    bytes: int = 0


def sweep_artifacts(directory: Path, database: Path, now_ms: float) -> Swept:
    """Deletes files below ``directory/artifacts`` that are named by their SHA-256 and by no event in ``database``.

    A file that was written or sent again in the last 24 hours stays. Raises what ``Reader`` raises, and ``OSError``.
    """
    swept = Swept()
    old = [
        path
        for path in (directory / ARTIFACTS).glob("[0-9a-f][0-9a-f]/*")
        if is_sha256(path.name) and not path.is_symlink() and _is_old(path, now_ms)
    ]
    if not old:
        return swept
    named = _named(database)
    for path in old:
        if path.name not in named and _is_old(path, now_ms):  # it may have been sent again meanwhile
            size = path.stat().st_size
            path.unlink(missing_ok=True)
            swept.files += 1
            swept.bytes += size
    return swept


def _is_old(path: Path, now_ms: float) -> bool:
    return now_ms - path.stat().st_mtime * 1000 > _GRACE_MS


def _named(database: Path) -> set[str]:
    with closing(connect_read_only(database)) as connection:
        return {name for (payload,) in connection.execute(_NAMING) for name in _NAME.findall(payload)}

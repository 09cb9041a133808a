"""Files of tests that the recorder keeps."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256, place_of


def artifact_file(database: Path, sha256: str) -> Path | None:
    """The file with this SHA-256, beside the database; ``None`` when it is not there or ``sha256`` is no hash."""
    if not is_sha256(sha256):
        return None
    path = database.parent.joinpath(ARTIFACTS, *place_of(sha256))
    return path if path.is_file() and not path.is_symlink() else None

"""Artifacts of tests as files: named by the hash of their content, whole and synced before they have their name."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256, place_of

#: Where an artifact is written until all of it is there.
_INCOMING = "incoming"


class ArtifactStore:
    """The artifacts in ``directory``, the ``.semantest`` folder. All methods block; no path comes from a client."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / ARTIFACTS
        self._sweep()

    def find(self, sha256: str) -> Path | None:
        """The file of an artifact, ``None`` when it is not there or ``sha256`` is no hash."""
        if not is_sha256(sha256):
            return None
        path = self._folder.joinpath(*place_of(sha256))
        return path if path.is_file() and not path.is_symlink() else None

    def renew(self, sha256: str) -> bool:
        """Whether an artifact is there; it then counts as written now: a sweep leaves it until its event is there.

        One that cannot be renewed is not there, and is taken in anew.
        """
        path = self.find(sha256)
        if path is None:
            return False
        try:
            os.utime(path)
        except OSError:
            return False
        return True

    def begin(self, sha256: str) -> IncomingArtifact:
        """Begins to take one in. Raises ``OSError``."""
        folder, name = place_of(sha256)
        incoming, final = self._folder / _INCOMING, self._folder / folder / name
        # Only below a folder that is there: one that somebody removed does not come back like this.
        for needed in (self._folder, incoming, final.parent):
            needed.mkdir(mode=0o700, exist_ok=True)
            _require_own(needed)
        return IncomingArtifact(sha256, incoming, final)

    def _sweep(self) -> None:
        """Deletes what a recorder that was killed had not finished."""
        incoming = self._folder / _INCOMING
        with suppress(OSError):
            _require_own(incoming)
            for path in incoming.glob("*"):
                with suppress(OSError):
                    path.unlink()


class IncomingArtifact:
    """One artifact that is being written. ``commit`` or ``abort`` ends it."""

    def __init__(self, sha256: str, folder: Path, final: Path) -> None:
        self._sha256 = sha256
        self._final = final
        self._digest = hashlib.sha256()
        self._fd, name = tempfile.mkstemp(dir=folder)
        self._temporary = Path(name)
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Takes the next bytes. Raises ``OSError``."""
        self._digest.update(chunk)
        self.size += len(chunk)
        view = memoryview(chunk)
        while view:
            view = view[os.write(self._fd, view) :]

    def commit(self) -> bool:
        """Gives the file its name, so that it outlives a power failure; false when its content is another.

        Raises ``OSError``.
        """
        if self._digest.hexdigest() != self._sha256:
            return False
        os.fsync(self._fd)
        self._temporary.replace(self._final)
        for folder in (self._final.parent, self._final.parent.parent):
            _sync_folder(folder)
        return True

    def abort(self) -> None:
        """Lets go of it; after ``commit`` only of the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._temporary.unlink(missing_ok=True)


def _require_own(folder: Path) -> None:
    """Raises ``OSError`` for a link: a checkout from elsewhere may hold one that leads to somebody's files."""
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link: remove it", str(folder))


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Attachments as files of the session's folder, named by the hash of their content and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple

from pytest_semantest.protocol.artifacts import ARTIFACTS
from pytest_semantest.protocol.redaction import Redactor

_CHUNK = 1024 * 1024
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript", "application/yaml")
#: By the ending of the name. The standard library's ``mimetypes`` reads files of the system, which tests may fake.
_ENDINGS = {
    "text/plain": ".txt .log",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/html": ".html .htm",
    "text/css": ".css",
    "application/xml": ".xml",
    "application/json": ".json .har",
    "application/javascript": ".js",
    "application/yaml": ".yaml .yml",
    "image/png": ".png",
    "image/jpeg": ".jpg .jpeg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/gzip": ".gz",
    "video/webm": ".webm",
    "video/mp4": ".mp4",
}
_MEDIA_TYPES = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"%PDF-", "application/pdf"))
UNKNOWN = "application/octet-stream"


class Stored(NamedTuple):
    """An artifact on disk; ``size`` in bytes."""

    sha256: str
    size: int


class NotStoredError(Exception):
    """The content is not kept; the text says why."""


def media_type_of(name: str, beginning: bytes = b"") -> str:
    """The media type that a name's ending says, else that the content begins like."""
    by_name = _MEDIA_TYPES.get(os.path.splitext(name)[1].lower())
    return by_name or next((kind for start, kind in _BEGINNINGS if beginning.startswith(start)), UNKNOWN)


class ArtifactFolder:
    """The artifacts of the session whose folder is ``folder``; ``limit`` is the largest size in bytes.

    Text is redacted before it is written. All methods raise ``NotStoredError``.
    """

    # Ours go past what tests replace; a user's file is opened by whatever ``open`` is now, a faked one included.
    _open = os.open
    _write = os.write
    _close = os.close
    _rename = os.rename
    _unlink = os.unlink
    _mkdir = os.mkdir

    def __init__(self, folder: str, limit: int, redactor: Redactor) -> None:
        self._folder = os.path.join(folder, ARTIFACTS)
        self._limit = limit
        self._redactor = redactor
        self._token = os.urandom(8).hex()
        self._number = count(1)  # threads may ask it at once

    def put_text(self, text: str) -> Stored:
        """Keep a text as UTF-8."""
        return self._put(iter((self._redacted(text),)))

    def put_bytes(self, data: bytes, media_type: str) -> Stored:
        """Keep bytes."""
        return self._put(iter((self._cleaned(data, media_type),)))

    def put_file(self, path: Any, media_type: str) -> Stored:
        """Keep a file as it is now."""
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                raise NotStoredError("it is no regular file")
            self._check(status.st_size)
            with open(path, "rb") as file:
                if _is_text(media_type):
                    return self._put(iter((self._cleaned(file.read(self._limit + 1), media_type),)))
                return self._put(iter(lambda: file.read(_CHUNK), b""))
        except OSError as error:
            raise NotStoredError(f"it cannot be read: {error.strerror or error}") from None
        except ValueError as error:  # such as a path with a null character
            raise NotStoredError(f"it cannot be read: {error}") from None

    def _cleaned(self, data: bytes, media_type: str) -> bytes:
        self._check(len(data))
        if not _is_text(media_type):
            return data
        try:
            return self._redacted(data.decode())
        except UnicodeDecodeError:
            return data

    def _redacted(self, text: str) -> bytes:
        self._check(len(text))
        return self._redactor.redact(text).encode("utf-8", "backslashreplace")

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise NotStoredError(
                f"{size} bytes are more than the limit of {self._limit} (--semantest-attachment-limit)"
            )

    def _put(self, chunks: Iterator[bytes]) -> Stored:
        """Write to a temporary file, and give it its name when all of it is there."""
        temporary = os.path.join(self._folder, f"{self._token}-{next(self._number)}.tmp")
        try:
            self._make_folder()
            fd = ArtifactFolder._open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotStoredError(f"{self._folder} cannot be written: {error.strerror}") from None
        try:
            try:
                digest, size = self._copy(fd, chunks)
            finally:
                ArtifactFolder._close(fd)
            ArtifactFolder._rename(temporary, os.path.join(self._folder, digest))
        except BaseException as error:
            with suppress(OSError):
                ArtifactFolder._unlink(temporary)
            if isinstance(error, OSError):
                raise NotStoredError(f"{self._folder} cannot be written: {error.strerror}") from None
            raise
        return Stored(digest, size)

    def _make_folder(self) -> None:
        try:
            ArtifactFolder._mkdir(self._folder, 0o700)
        except FileExistsError:  # by an earlier one, or by another worker
            return

    def _copy(self, fd: int, chunks: Iterator[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            size += len(chunk)
            self._check(size)
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[ArtifactFolder._write(fd, view) :]
        return digest.hexdigest(), size


def _is_text(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))

"""A database is a file, for opening a pipe would wait for ever, and what lies beside it is of it alone."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from semantest_recorder.store.errors import CannotOpen, NoDatabase

#: How a rollback journal begins, and how it ends when it names another file.
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


def require_regular(path: Path) -> None:
    """Raises ``OSError`` when there is nothing at ``path``, or something else than a file."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def require_database_file(path: Path) -> None:
    """Raises ``NoDatabase`` when there is nothing at ``path``, ``CannotOpen`` when it is something else than a file."""
    try:
        require_regular(path)
    except FileNotFoundError:
        raise NoDatabase(path) from None
    except OSError as error:
        raise CannotOpen(path, error.strerror or str(error)) from None


def refuse_foreign_journal(path: Path) -> None:
    """Raises ``OSError`` when a rollback journal beside the database names another file.

    SQLite would take that for the journal of several databases and delete it, whatever it is. One of ours names none.
    """
    journal = path.with_name(f"{path.name}-journal")
    try:
        require_regular(journal)
        with journal.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - len(_JOURNAL_MAGIC))
            file.seek(start)
            names_another = file.read() == _JOURNAL_MAGIC
    except FileNotFoundError:
        return
    if names_another:
        raise OSError(errno.EPERM, f"{journal.name} beside it would have SQLite delete another file: remove it")

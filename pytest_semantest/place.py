"""Where a process of pytest records to, and how its user finds that."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from pytest_semantest.protocol.layout import JOURNAL_SUFFIX, SESSIONS, STATUS_SUFFIX, find_directory


class Place:
    """The files of one process (``worker``) of a session in the ``.semantest`` folder ``directory``.

    ``start``: the folder where the user called pytest, for what is shown.
    """

    def __init__(self, directory: str, session_id: str, worker: str, start: Path) -> None:
        self.directory = directory
        self.session_id = session_id
        self.worker = worker
        self.folder = os.path.join(directory, SESSIONS, session_id)
        self.journal = os.path.join(self.folder, worker + JOURNAL_SUFFIX)
        self.status = os.path.join(self.folder, worker + STATUS_SUFFIX)
        self._start = start

    def command(self, name: str) -> str:
        """The ``semantest`` command, with what it needs to find this recording from where the user is."""
        found = find_directory(os.environ.get("SEMANTEST_DIR"), self._start)
        known = found is not None and os.path.abspath(found) == os.path.abspath(self.directory)
        return f"semantest {name}" if known else f"semantest {name} --directory {quote(self.shown_directory())}"

    def shown_folder(self) -> str:
        """The folder of the session, as ``shown_directory``."""
        return os.path.join(self.shown_directory(), SESSIONS, self.session_id)

    def shown_directory(self) -> str:
        """The ``.semantest`` folder, seen from where the user is when it lies below."""
        try:
            shown = os.path.relpath(self.directory, self._start)
        except ValueError:  # on another drive
            return self.directory
        return self.directory if shown.startswith("..") else shown

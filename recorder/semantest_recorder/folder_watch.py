"""Whether a running recorder can still be found by its folder."""

from __future__ import annotations

import logging
from pathlib import Path

from semantest_recorder.discovery import Discovery, RecorderLock, find_discovery, write_discovery

_log = logging.getLogger(__name__)


class FolderWatch:
    """Looks after the discovery file and the lock of the recorder of ``directory``."""

    def __init__(self, directory: Path, lock: RecorderLock, discovery: Discovery) -> None:
        self._directory = directory
        self._lock = lock
        self._discovery = discovery
        self._is_blind = False

    def is_lost(self) -> bool:
        """Whether the folder was removed or is another recorder's: the lock in it is not ours any more.

        Where only the discovery file was lost or changed, it is written again. What cannot be looked at now, for want
        of descriptors say, or of a right, tells nothing: it is said once in the log, and looked at again.
        """
        try:
            lost = self._look()
        except OSError as error:
            if not self._is_blind:
                self._is_blind = True
                _log.warning("cannot look after %s now, trying on: %s", self._directory, error.strerror)
            return False
        self._is_blind = False
        return lost

    def _look(self) -> bool:
        if not self._lock.is_ours():  # asked first: without the lock nobody goes by the file, however right it is
            return True
        if find_discovery(self._directory) == self._discovery:
            return False
        write_discovery(self._directory, self._discovery)
        _log.warning("the discovery file was gone; it is there again")
        return False

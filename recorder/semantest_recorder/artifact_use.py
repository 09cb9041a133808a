"""How much room attachments of tests take, found out beside everything else: there may be a million files."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from time import monotonic
from typing import Final

from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.store.disk_use import bytes_of_artifacts

#: A number is shown for so long, in seconds, before it is looked for anew.
FRESH_S: Final = 600.0


class ArtifactUse:
    """The attachments in ``directory``, the ``.semantest`` folder; asked by one caller after the other."""

    def __init__(self, directory: Path, clock: Callable[[], float] = monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._threads = DaemonThreads(1, "semantest-artifact-use")
        self._found: int | None = None
        self._looking: Future[int] | None = None
        self._due_s = 0.0

    def bytes(self) -> int | None:
        """As many as when it was last looked; ``None`` until that was done once. Never waits."""
        if self._looking is not None and self._looking.done():
            self._found, self._looking = self._looking.result(), None
        if self._looking is None and self._clock() >= self._due_s:
            self._due_s = self._clock() + FRESH_S
            self._looking = self._threads.submit(bytes_of_artifacts, self._directory)
        return self._found

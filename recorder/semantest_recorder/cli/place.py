"""Where the command was started, and where runs go from there."""

from __future__ import annotations

import os
from pathlib import Path

from semantest_recorder.cli.stop import EXIT_USAGE, Stop


def working_directory(directory: str | None) -> Path:
    """The working directory; the root when it was deleted and ``directory``, a whole path, makes it needless.

    Raises ``Stop``.
    """
    try:
        return Path.cwd()
    except OSError as error:
        if directory is not None and Path(directory).is_absolute():
            return Path("/")
        reason = f"the working directory cannot be used: {error.strerror}"
        raise Stop(
            f"{reason}. Change to one that is there, or give --directory as a whole path.", EXIT_USAGE
        ) from error


def went_elsewhere() -> str:
    """A sentence for when nothing is found here and runs are sent to a recorder that was named; else nothing."""
    url = os.environ.get("SEMANTEST_URL")
    return f" SEMANTEST_URL is set: runs go to the recorder at {url}, and are read where it runs." if url else ""

"""Where the command was started."""

from __future__ import annotations

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

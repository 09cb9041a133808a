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


def went_elsewhere(folder: Path | None = None) -> str:
    """A sentence for when nothing is found here and runs are sent to a recorder that was named; else nothing.

    ``folder``: the ``.semantest`` folder in which there is nothing; without one the configuration is that of here.
    """
    from pytest_semantest.protocol.effective import named, resolve_key  # noqa: PLC0415 - for what went wrong only
    from pytest_semantest.protocol.redaction import Redactor  # noqa: PLC0415
    from semantest_recorder.cli.configured import nearest_configuration  # noqa: PLC0415
    from semantest_recorder.cli.pytest_ini import read_pytest_ini  # noqa: PLC0415

    found = nearest_configuration(folder.absolute().parent if folder is not None else Path.cwd())
    ini = read_pytest_ini(Path(found.folder))
    try:
        setting = resolve_key(named("url"), os.environ, found, ini.get("url")).setting
    except ValueError:
        return ""
    if setting.value:
        url = Redactor(()).redact(str(setting.value))
        name = setting.place if setting.kind == "environment" else f"url in {setting.place}"
        return f" {name} is set: runs go to the recorder at {url}, and are read where it runs."
    if folder is not None and folder.is_dir():  # pytest was here
        return " A run that was sent to a recorder elsewhere (--semantest-url) is read where that runs."
    return ""

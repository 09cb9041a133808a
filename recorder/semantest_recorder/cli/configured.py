"""The configuration files as commands heed them: the nearest ones upwards from where the command was started."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError
from pytest_semantest.protocol.configuration_files import find_configuration
from semantest_recorder.cli.stop import EXIT_USAGE, Stop


def nearest_configuration(*starts: Path) -> Configuration:
    """That of the nearest folder upwards from the first start that has one; an empty one when none has.

    Its ``problems`` are the caller's to look at.
    """
    for start in starts:
        found = find_configuration(str(start))
        if found is not None:
            return found
    return Configuration(str(starts[0].absolute()), {})


def checked_configuration(*starts: Path) -> Configuration:
    """As ``nearest_configuration``. Raises ``Stop`` when something is wrong in the files."""
    found = nearest_configuration(*starts)
    try:
        return found.checked()
    except ConfigurationError as error:
        raise wrong_configuration(found, error) from None


def wrong_configuration(found: Configuration, error: ConfigurationError) -> Stop:
    """How a command ends that cannot go by the configuration."""
    return Stop(f"{error}  [in {found.folder}]" if found.files or found.problems else str(error), EXIT_USAGE)


def configured_directory(here: Path) -> Path | None:
    """The ``.semantest`` folder that the files name, or ``None``. Raises ``Stop``."""
    found = checked_configuration(here)
    setting = found.get("dir")
    return Path(found.folder) / setting.value if setting is not None and setting.value.strip() else None

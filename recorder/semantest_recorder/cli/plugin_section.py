"""What the configuration says of plugins, for the recorder of a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError
from pytest_semantest.protocol.effective import plugin_settings, resolve_section
from semantest_recorder.cli.configured import nearest_configuration
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.plugins.configuration import InvalidPlugins, PluginSettings, read_section


def plugins_of(folder: Path) -> PluginSettings:
    """The ``[plugins]`` section for the recorder of a ``.semantest`` folder: of the folder's own project.

    Raises ``Stop`` when it cannot be used.
    """
    return plugins_in(nearest_configuration(folder.parent))


def plugins_in(found: Configuration) -> PluginSettings:
    """The section of a configuration. Raises ``Stop`` when it cannot be used."""
    try:
        return section_of(found.checked(), os.environ)
    except (ConfigurationError, InvalidPlugins) as error:
        raise Stop(str(error), EXIT_USAGE) from None


def section_of(found: Configuration, environment: Mapping[str, str]) -> PluginSettings:
    """The section as files and variables make it. Raises ``ConfigurationError`` and ``InvalidPlugins``."""
    given = plugin_settings(environment, found)
    timeout = resolve_section("plugins", environment, found)["timeout"].setting.value
    section = {**given.options, "enabled": given.enabled, "disabled": given.disabled, "timeout": timeout}
    return read_section(section | {"modules": given.modules}, found.folder)

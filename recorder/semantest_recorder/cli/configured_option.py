"""Options whose values may stand in the environment or in the configuration files of the project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pytest_semantest.protocol.configuration import Configuration, Setting
from pytest_semantest.protocol.effective import resolve_key
from pytest_semantest.protocol.keys import Key
from semantest_recorder.cli.configured import checked_configuration
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

_CONFIGURATION = "semantest.configuration"


class ConfiguredOption(click.Option):
    """An option with a key of the configuration, ``setting``; its variable is read, too."""

    def __init__(self, *args: Any, setting: Key, **attributes: Any) -> None:
        super().__init__(*args, envvar=setting.variable, **attributes)
        self.setting = setting

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """As click does it; the configuration files stand between environment and default."""
        value, source = super().consume_value(ctx, opts)
        if source is not ParameterSource.DEFAULT or ctx.resilient_parsing:
            return value, source
        configured = self.configured(ctx)
        return (value, source) if configured.kind == "default" else (configured.value, ParameterSource.DEFAULT_MAP)

    def configured(self, ctx: click.Context, environment: Mapping[str, str] | None = None) -> Setting:
        """What environment (ours when none is given) or files say, else the default. Raises ``Stop``."""
        configuration = configuration_of(ctx)
        try:
            setting = resolve_key(
                self.setting, os.environ if environment is None else environment, configuration
            ).setting
        except ValueError as error:
            raise Stop(str(error), EXIT_USAGE) from None
        if setting.kind == "file" and self.setting.kind == "path":
            return setting._replace(value=str(Path(configuration.folder) / setting.value))
        return setting


def configuration_of(ctx: click.Context) -> Configuration:
    """The configuration files of the project: those found from here, else from its folder. Raises ``Stop``."""
    found: Configuration | None = ctx.meta.get(_CONFIGURATION)
    if found is None:
        told = ctx.params.get("directory")
        directory = told if isinstance(told, str) else None  # click has a marker of its own for what is not parsed yet
        here = working_directory(directory)
        folder = semantest_folder(directory, here)
        found = checked_configuration(here, *([folder] if folder else []))
        ctx.meta[_CONFIGURATION] = found
    return found

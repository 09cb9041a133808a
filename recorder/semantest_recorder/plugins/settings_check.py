"""What is wrong with the settings of plugins, found without starting one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points

from semantest_recorder.plugins.builtin import BUILTIN, DEFAULT
from semantest_recorder.plugins.builtin.options import InvalidOptions
from semantest_recorder.plugins.configuration import PluginSettings
from semantest_recorder.plugins.registry import GROUP, absent_names, unknown_names


def installed_names() -> frozenset[str]:
    """The names of the plugins that installed packages bring."""
    return frozenset(point.name for point in entry_points(group=GROUP))


def problems_of(settings: PluginSettings, installed: Iterable[str]) -> Iterator[str]:
    """A line for each name that no plugin has, and for each built-in plugin that cannot use its options.

    With such a name the recorder does not start; with such options it goes on without the plugin.
    """
    yield from unknown_names(settings, installed)
    for name, options in settings.options.items():
        if name in BUILTIN and name not in installed:
            try:
                BUILTIN[name]().read(options)
            except InvalidOptions as error:
                yield f"[plugins.{name}] {error}"


def set_in_vain(settings: PluginSettings, installed: Iterable[str]) -> Iterator[str]:
    """A line for each disabled plugin that is not there, and for each built-in one that has options and is off."""
    yield from absent_names(settings, installed)
    on = {*settings.enabled, *installed, *DEFAULT}
    for name in settings.options:
        if name in BUILTIN and name not in on and not settings.rules_out(name):
            yield f"[plugins.{name}] has options, but the plugin is off: name it in plugins.enabled"

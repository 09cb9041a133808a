"""The ``[plugins]`` section of the configuration.

::

[plugins]
enabled = ["console", "event-filter", "mine"]   # built-in ones are off unless they are named; in this order
disabled = ["*"]                                # names, or "*" for all that only happen to be installed
modules = ["team.plugin:Team"]                  # package.module or package.module:name of what is not installed
timeout = 5.0                                   # seconds that one call may take

[plugins.console]                               # options of one plugin, given to its initialize
slowest = 3
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

DEFAULT_TIMEOUT_S = 5.0
_KEYS = ("enabled", "disabled", "modules", "timeout")
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")


class InvalidPlugins(ValueError):  # noqa: N818 - named for what it says about its argument
    """The section cannot be used; the text says which key and what would be right."""


class PluginSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the section says. ``enabled`` come in this order; ``timeout`` is in seconds.

    ``modules`` are names of plugins, too; they are imported from ``folder`` where nothing installed has their name.
    """

    enabled: tuple[str, ...] = ()
    disabled: frozenset[str] = frozenset()
    modules: tuple[str, ...] = ()
    folder: str | None = None
    timeout: float = DEFAULT_TIMEOUT_S
    options: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)

    def rules_out(self, name: str) -> bool:
        """Whether a plugin may not be loaded."""
        return name in self.disabled or ("*" in self.disabled and name not in (*self.enabled, *self.modules))


def read_section(section: Mapping[str, Any], folder: str | None = None) -> PluginSettings:
    """What a ``[plugins]`` section says; ``folder``: where the file is that holds it. Raises ``InvalidPlugins``."""
    options: dict[str, dict[str, Any]] = {}
    for name, value in section.items():
        if name in _KEYS:
            continue
        if not isinstance(value, Mapping):
            known = ", ".join(_KEYS)
            raise InvalidPlugins(f"[plugins] {name}: there are the keys {known}, and a table of options per plugin")
        options[name] = dict(value)
    timeout = section.get("timeout", DEFAULT_TIMEOUT_S)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0.01 <= timeout <= 3600:
        raise InvalidPlugins(f"[plugins] timeout is a number of seconds from 0.01 to 3600, not {timeout!r}")
    return PluginSettings(
        enabled=tuple(dict.fromkeys(_names(section, "enabled"))),
        disabled=frozenset(_names(section, "disabled")),
        modules=tuple(dict.fromkeys(_modules(section))),
        folder=folder,
        timeout=float(timeout),
        options=options,
    )


def _names(section: Mapping[str, Any], key: str) -> list[str]:
    given = section.get(key, [])
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        raise InvalidPlugins(f"[plugins] {key} is a list of plugin names, not {given!r}")
    return list(given)


def _modules(section: Mapping[str, Any]) -> list[str]:
    found = _names(section, "modules")
    for name in found:
        if not _MODULE.fullmatch(name):
            raise InvalidPlugins(f"[plugins] modules: {name!r} is neither package.module nor package.module:name")
    return found

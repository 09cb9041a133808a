"""Who wins: environment, ``semantest.toml``, ``pyproject.toml``, pytest's ini file, default, in this order.

The command line, which wins over all of them, is its reader's business. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError, Setting, nearest
from pytest_semantest.protocol.key_values import value_of_text
from pytest_semantest.protocol.keys import SECTIONS, Key, all_keys, default_of, key_of
from pytest_semantest.protocol.printable import printable_line


class Resolved(NamedTuple):
    """What is in effect for a dotted name, and what it hides, the nearest first."""

    path: str
    setting: Setting
    hidden: tuple[Setting, ...] = ()


def resolve_key(
    key: Key, environment: Mapping[str, str], configuration: Configuration, ini: Setting | None = None
) -> Resolved:
    """What is in effect for a key where no command line says more. Raises ``ValueError`` for a bad variable."""
    found: list[Setting] = []
    text = environment.get(key.variable)
    if text is not None and text.strip():
        try:
            found.append(Setting(value_of_text(key, text), "environment", key.variable))
        except ValueError as error:
            raise ValueError(f"{key.variable} {error}") from None
    elif text is not None and key.section == "" and key.path != "enabled":
        found.append(
            Setting(default_of(key, environment), "environment", key.variable)
        )  # blank: as if nothing was said
    found += configuration.settings.get(key.path, ())
    found += [ini] if ini is not None else []
    found.append(Setting(default_of(key, environment), "default", "default"))
    return Resolved(key.path, found[0], tuple(one for one in found[1:] if one.kind != "default"))


def resolve_section(section: str, environment: Mapping[str, str], configuration: Configuration) -> dict[str, Resolved]:
    """What is in effect for each key of a section, by its name. Raises ``ConfigurationError`` for bad variables."""
    found, problems = {}, []
    for key in SECTIONS[section]:
        try:
            found[key.name] = resolve_key(key, environment, configuration)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError(problems)
    return found


class PluginSettings(NamedTuple):
    """``[plugins]``: names to load and not to load, modules to load, and each plugin's own options as they stand."""

    enabled: tuple[str, ...]
    disabled: tuple[str, ...]
    modules: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]


def plugin_settings(environment: Mapping[str, str], configuration: Configuration) -> PluginSettings:
    """The section for plugins. Raises ``ConfigurationError`` for bad variables.

    An option that both files set is that of ``semantest.toml``; options that only one sets are all there.
    """
    names = resolve_section("plugins", environment, configuration)
    options: dict[str, dict[str, Any]] = {}
    for path, (plugin, option) in configuration.options.items():
        options.setdefault(plugin, {})[option] = configuration.settings[path][0].value
    enabled, disabled, modules = (tuple(names[name].setting.value) for name in ("enabled", "disabled", "modules"))
    return PluginSettings(enabled, disabled, modules, options)


class AlertTables(NamedTuple):
    """``[alerts]``: its own keys with the values in effect, then rules and channels by name with what files say."""

    own: Mapping[str, Any]
    rules: Mapping[str, Mapping[str, Any]]
    channels: Mapping[str, Mapping[str, Any]]


def alert_tables(environment: Mapping[str, str], configuration: Configuration) -> AlertTables:
    """The section for alerts. Raises ``ConfigurationError`` for bad variables.

    A key that both files set is that of ``semantest.toml``, as everywhere.
    """
    own = {name: one.setting.value for name, one in resolve_section("alerts", environment, configuration).items()}
    tables: dict[str, dict[str, dict[str, Any]]] = {"rules": {}, "channels": {}}
    for path, (kind, name, key) in configuration.alerts.items():
        tables[kind].setdefault(name, {})[key] = configuration.settings[path][0].value
    return AlertTables(own, **tables)


def policy_changes(environment: Mapping[str, str], configuration: Configuration) -> dict[str, Any]:
    """What the files and variables change in the security policy, by its own names: ``maxEventSize``.

    Raises ``ConfigurationError`` for bad variables.
    """
    found = resolve_section("policy", environment, configuration)
    return {_camel(name): one.setting.value for name, one in found.items() if one.setting.kind != "default"}


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.title() for word in rest)


def unknown_variables(environment: Mapping[str, str], others: Iterable[str]) -> list[str]:
    """A line for each variable of our name that nothing reads."""
    known = {key.variable for key in all_keys()} | set(others)
    lines = []
    for name in sorted(environment):
        if name.startswith("SEMANTEST") and name not in known:
            near = get_close_matches(name, known, 1, 0.7)
            lines.append(
                f"{printable_line(name)} is no variable of ours" + (f"; did you mean {near[0]}?" if near else "")
            )
    return lines


def named(path: str) -> Key:
    """The key with this dotted name. Raises ``ValueError`` naming the nearest."""
    key = key_of(path)
    if key is None:
        raise ValueError(f"{path} is no setting{nearest(path)}")
    return key

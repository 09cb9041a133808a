"""What the two configuration files say, checked against the keys. Pure: bytes in.

What is wrong becomes a line that names file and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from types import MappingProxyType
from typing import Any, NamedTuple

from pytest_semantest.protocol.key_values import problem_of, shown
from pytest_semantest.protocol.keys import OWN_FILE, PYPROJECT, SECTIONS, Key, all_keys
from pytest_semantest.protocol.printable import printable_line

#: How the place of a setting is told.
PLACES = {OWN_FILE: OWN_FILE, PYPROJECT: f"{PYPROJECT} [tool.semantest]"}

#: A key of n parts takes time of n squared to read, some seconds for so many.
_DOTS_SQUARED = 20_000_000
#: Tables and lists in each other; what is deeper could be read and not be printed.
_DEEPEST = 100


class ConfigurationError(ValueError):
    """The files or the environment say what means nothing; ``problems`` are lines that name place and key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(self.problems) - 1} more: semantest config check)" if len(self.problems) > 1 else ""
        super().__init__(self.problems[0] + more)


class Setting(NamedTuple):
    """A value and where it stands: ``kind`` is ``file``, ``environment``, ``ini`` or ``default``."""

    value: Any
    kind: str
    place: str


class Configuration(NamedTuple):
    """What the files of one folder say.

    ``settings``: by dotted name, the winner first. ``options``: of which plugin and under which name those are that
    belong to plugins. ``alerts``: the same of rules and channels, ``(rules or channels, its name, key)``.
    ``files``: the names of those that say something. ``problems``: what is wrong, a line each.
    """

    folder: str
    settings: Mapping[str, tuple[Setting, ...]]
    options: Mapping[str, tuple[str, str]] = MappingProxyType({})
    alerts: Mapping[str, tuple[str, str, str]] = MappingProxyType({})
    files: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def get(self, path: str) -> Setting | None:
        """The setting that wins, or ``None``."""
        found = self.settings.get(path)
        return found[0] if found else None

    def checked(self) -> Configuration:
        """Itself. Raises ``ConfigurationError`` when something is wrong."""
        if self.problems:
            raise ConfigurationError(self.problems)
        return self


def read_configuration(folder: str, files: Mapping[str, bytes]) -> Configuration:
    """What the files (by name, the winner first) say. Raises nothing: what is wrong is in ``problems``."""
    settings: dict[str, tuple[Setting, ...]] = {}
    options: dict[str, tuple[str, str]] = {}
    alerts: dict[str, tuple[str, str, str]] = {}
    names: list[str] = []
    problems: list[str] = []
    for name in (OWN_FILE, PYPROJECT):
        if name not in files:
            continue
        try:
            table = _table(name, files[name])
        except ConfigurationError as error:
            problems += error.problems
            continue
        if table is None:
            continue
        names.append(name)
        reading = _Reading(PLACES[name])
        reading.top(table)
        problems += reading.problems
        options |= reading.options
        alerts |= reading.alerts
        for path, value in reading.found.items():
            settings[path] = (*settings.get(path, ()), Setting(value, "file", PLACES[name]))
    return Configuration(folder, settings, options, alerts, tuple(names), tuple(problems))


def _table(name: str, data: bytes) -> dict[str, Any] | None:
    """Our table of the file, ``None`` when it has none. Raises ``ConfigurationError``."""
    document = read_toml(name, data)
    if name != PYPROJECT:
        return document
    tool = document.get("tool")
    table = tool.get("semantest") if isinstance(tool, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise ConfigurationError([f"{name}: tool.semantest must be a table: [tool.semantest]"])


def read_toml(name: str, data: bytes) -> dict[str, Any]:
    """The document in ``data``. Raises ``ConfigurationError``, with a line that names the file.

    Whole numbers are those of 64 bits, which TOML asks of a reader: longer ones cannot even be printed.
    """
    dots = [line.count(b".") for line in data.split(b"\n")]
    if sum(number * number for number in dots) > _DOTS_SQUARED:
        line = dots.index(max(dots)) + 1
        raise ConfigurationError([f"{name}:{line}: too many dots: a key of so many parts takes too long to read"])
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigurationError([f"{name}: it is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{name}: it is no TOML: {printable_line(str(error))}"]) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ConfigurationError([f"{name}: it cannot be read: {printable_line(str(error))}"]) from None
    except RecursionError:
        raise ConfigurationError([f"{name}: it is nested too deeply"]) from None
    _check_values(name, document)
    return document


def _check_values(name: str, document: dict[str, Any]) -> None:
    """Raises ``ConfigurationError`` for values that cannot be told; dotted keys nest without any recursion."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        tables = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [value for values in tables for value in values]
        if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in level):
            raise ConfigurationError([f"{name}: it cannot be read: a whole number has more than 64 bits"])
        if not level:
            return
    raise ConfigurationError([f"{name}: it is nested too deeply"])


class _Reading:
    """One file's table, key by key."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.found: dict[str, Any] = {}
        self.options: dict[str, tuple[str, str]] = {}
        self.alerts: dict[str, tuple[str, str, str]] = {}
        self.problems: list[str] = []

    def top(self, table: Mapping[str, Any]) -> None:
        own = {name: value for name, value in table.items() if name not in SECTIONS}
        self._section("", own)
        for name, value in table.items():
            if name in SECTIONS and name:
                if not isinstance(value, dict):
                    self._wrong(name, f"is a section: write [{name}]")
                elif name == "plugins":
                    self._plugins(value)
                elif name == "alerts":
                    self._alerts(value)
                else:
                    self._section(name, value)

    def _section(self, section: str, table: Mapping[str, Any]) -> None:
        keys = {key.name: key for key in SECTIONS[section]}
        for written, value in table.items():
            key = keys.get(written.replace("_", "-"))
            path = f"{section}.{bare(written)}" if section else bare(written)
            if key is None:
                self._wrong(path, f"is no setting{nearest(path)}")
            else:
                self._take(key, path, key.path, value)

    def _take(self, key: Key, written: str, path: str, value: Any) -> bool:
        """Whether it is a value of the key, and the first: then it is in ``found``, as ``path``."""
        problem = problem_of(key, value)
        if problem:
            self._wrong(written, f"is {shown(key, value)}, {problem}")
        elif path in self.found:
            self._wrong(path, "is there twice, with dashes and with underscores")
        else:
            self.found[path] = value
            return True
        return False

    def _plugins(self, table: Mapping[str, Any]) -> None:
        self._section("plugins", {name: value for name, value in table.items() if not isinstance(value, dict)})
        for name, options in table.items():
            if not isinstance(options, dict):
                continue
            if name in {key.name for key in SECTIONS["plugins"]}:
                self._wrong(f"plugins.{name}", 'must be a list of names: ["..."]')
                continue
            for option, value in options.items():
                path = f"plugins.{bare(name)}.{bare(option)}"
                self.found[path], self.options[path] = value, (name, option)

    def _alerts(self, table: Mapping[str, Any]) -> None:
        from pytest_semantest.protocol.alert_keys import TABLES  # noqa: PLC0415 - for files that have such tables

        self._section("alerts", {name: value for name, value in table.items() if name not in TABLES})
        for kind in TABLES:
            named = table.get(kind, {})
            if not isinstance(named, dict) or not all(isinstance(one, dict) for one in named.values()):
                self._wrong(f"alerts.{kind}", f"holds tables: write [alerts.{kind}.NAME]")
                continue
            for name, keys in named.items():
                self._alert_table(kind, name, keys)

    def _alert_table(self, kind: str, name: str, table: Mapping[str, Any]) -> None:
        from pytest_semantest.protocol.alert_keys import TABLES, key_in, names_of  # noqa: PLC0415 - the same

        if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
            self._wrong(f"alerts.{kind}.{bare(name)}", "has no name of letters, digits, - and _, at most 60 of them")
            return
        if not table:
            self._wrong(f"alerts.{kind}.{name}", "is empty, and needs a kind")
        for written, value in table.items():
            key = key_in(kind, written)
            path = f"alerts.{kind}.{name}.{bare(written)}"
            if key is None:
                self._wrong(path, f"is no setting; there are {names_of(TABLES[kind])}")
                continue
            own = f"alerts.{kind}.{name}.{key.name}"
            if self._take(key, path, own, value):
                self.alerts[own] = (kind, name, key.name)

    def _wrong(self, path: str, what: str) -> None:
        self.problems.append(printable_line(f"{self._place}: {path} {what}"))  # a name may have any character


def bare(name: str) -> str:
    """A name as it stands in a dotted one: quoted where TOML wants it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else encode_basestring(name)


def nearest(path: str) -> str:
    """A hint for a dotted name that is none: the nearest that exists, or where its last part does."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only: a pytest that reads a file does without

    if path == "tool":
        return f"; in {OWN_FILE} the keys stand at the top, without [tool.semantest]"
    written = path.replace("_", "-").removeprefix("semantest-")  # as the ini keys begin
    section, _, name = written.rpartition(".")
    names = [key.path for key in all_keys()] + [one for one in SECTIONS if not section]
    near = [key.path for key in all_keys() if key.name == name] or get_close_matches(written, names, 1, 0.7)
    near = near or [key.path for key in all_keys() if get_close_matches(name, [key.name], 1, 0.8)]
    if near:
        return f"; did you mean {near[0]}?"
    known = ", ".join(key.name for key in SECTIONS.get(section, ()))
    return f"; there {'are' if known else 'is'} {known or f'no section {section}'}"

"""Configuration files and variables with anything in them."""

from __future__ import annotations

from contextlib import suppress

from pytest_semantest.protocol.configuration import ConfigurationError, read_configuration
from pytest_semantest.protocol.effective import plugin_settings, policy_changes, resolve_key, unknown_variables
from pytest_semantest.protocol.key_values import problem_of, value_of_text
from pytest_semantest.protocol.keys import OWN_FILE, PYPROJECT, SECTIONS, all_keys, may_hold_settings
from tests.choices import Choices

_KEYS = tuple(all_keys())
_SECTIONS = (*[name for name in SECTIONS if name], "plugins.mine", "no", '"x.y"')
_NAMES = (*[key.name for key in _KEYS], "max_events", '"a b"', '"\\n"', "é")
_VALUES = (
    *(
        '"x"',
        "true",
        "1",
        "-1",
        "1.5",
        "inf",
        "nan",
        "1e400",
        "9" * 5000,
        "[]",
        '["a"]',
        "{}",
        '{a = "b"}',
        "1979-05-27",
    ),
    *('"\\u0000"', '"\\n"', '"http://127.0.0.1:1"', '"["', '["["]', '["a{9999999999}"]', "'''\n'''", '"30d"', "[[[]]]"),
    *('"' + "x" * 500 + '"', "[" * 3000, "0x" + "f" * 400, "é", '"\\x1b[31m"'),
)
_TEXTS = (
    *("", " ", "1", "yes", "no", "1e400", "nan", "-inf", "9" * 5000, "a=b", "a", "\0", "[", "x\ny"),
    *("\ud800", "30d", "٣"),
)


def check(choose: Choices) -> None:
    """Whatever they say, what is wrong is a printable line each, and what is not wrong can be used."""
    files = {name: _file(choose, name) for name in choose.some((OWN_FILE, PYPROJECT))}
    found = read_configuration("/p", files)
    for problem in found.problems:
        _check_line(problem)
    for data in files.values():
        may_hold_settings(data)
    environment = {key.variable: choose.of(_TEXTS) for key in choose.some(_KEYS) if choose.yes()}
    environment["SEMANTEST_" + choose.of(_TEXTS)] = choose.of(_TEXTS)
    for line in unknown_variables(environment, ()):
        _check_line(line)
    for key in _KEYS:
        try:
            resolved = resolve_key(key, environment, found)
        except ValueError as error:
            _check_line(str(error))
        else:
            default = resolved.setting.kind == "default" or not environment.get(key.variable, "x").strip()
            assert default or not problem_of(key, resolved.setting.value)
        with suppress(ValueError):
            assert not problem_of(key, value_of_text(key, choose.of(_TEXTS)))
    with suppress(ConfigurationError):
        plugin_settings(environment, found)
    with suppress(ConfigurationError):
        policy_changes(environment, found)


def _check_line(text: str) -> None:
    assert text
    assert text.isprintable(), f"not one printable line: {text!r}"


def _file(choose: Choices, name: str) -> bytes:
    lines = ["[tool.semantest]"] if name == PYPROJECT and not choose.yes(8) else []
    prefix = "tool.semantest." if name == PYPROJECT else ""
    for _ in range(choose.number(0, 8)):
        if choose.yes(3):
            lines.append(f"[{prefix}{choose.of(_SECTIONS)}]")
        key = choose.of(_NAMES)
        lines.append(f"{key} = {choose.of(_VALUES)}")
    data = "\n".join(lines).encode()
    if choose.yes(6):
        at = choose.number(0, len(data))
        data = data[:at] + choose.take(4) + data[at:]
    return data + (choose.rest() if choose.yes(8) else b"")

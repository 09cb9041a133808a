"""The table of keys is complete: no option, field or page beside it, and every key is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from pytest_semantest.options import pytest_addoption
from pytest_semantest.protocol.alert_keys import CHANNEL, CHANNEL_KINDS, OF_ALL_RULES, RULE, RULE_KINDS, TABLES
from pytest_semantest.protocol.effective import policy_changes
from pytest_semantest.protocol.keys import CLEANUP, POLICY, RECORDER, RECORDING, SECTIONS, all_keys
from pytest_semantest.settings import Settings
from semantest_recorder.cli.recorder import main as recorder_command
from semantest_recorder.cli.semantest import main as semantest_command
from semantest_recorder.core.policy import Policy

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Options:
    """Takes what the plugin registers."""

    def __init__(self) -> None:
        self.flags: set[str] = set()
        self.ini: set[str] = set()

    def getgroup(self, *_: str) -> Options:
        return self

    def addoption(self, flag: str, **_: Any) -> None:
        self.flags.add(flag)

    def addini(self, name: str, *_: Any, **__: Any) -> None:
        self.ini.add(name)


def flags(command: click.Command) -> set[str]:
    return {flag for option in command.params if isinstance(option, click.Option) for flag in option.opts}


def test_every_option_of_pytest_is_a_key() -> None:
    found = Options()
    pytest_addoption(cast("Any", found))
    assert found.flags == {key.flag for key in RECORDING} | {"--no-semantest"}
    assert found.ini == {key.ini for key in RECORDING}


def test_every_setting_of_the_plugin_is_a_key() -> None:
    names = {key.name.replace("-", "_") for key in RECORDING} - {"enabled", "token_file"}
    assert set(Settings._fields) - {"problems"} == {"directory" if name == "dir" else name for name in names}


def test_every_option_of_serve_and_start_is_a_key() -> None:
    keys = {key.flag for key in RECORDER}
    assert flags(recorder_command.commands["serve"]) == keys | {"--directory", "--on-demand"}
    assert flags(recorder_command.commands["start"]) == keys | {"--directory", "--timeout"}


def test_every_rule_of_the_policy_is_a_key_with_its_default() -> None:
    environment = {key.variable: "a" if key.is_list else "no" if key.kind == "flag" else "300" for key in POLICY}
    from pytest_semantest.protocol.configuration import Configuration  # noqa: PLC0415

    changes = policy_changes(environment, Configuration(".", {}))
    assert set(changes) == {field.encode_name for field in msgspec.structs.fields(Policy)}
    Policy().changed(changes)
    defaults = {key.name.replace("-", "_"): key.default for key in POLICY}
    assert defaults == {field.name: getattr(Policy(), field.name) for field in msgspec.structs.fields(Policy)}


def test_every_key_of_cleanup_is_an_option_of_the_command() -> None:
    command = semantest_command.get_command(click.Context(semantest_command), "cleanup")
    assert command is not None
    assert {key.flag for key in CLEANUP} <= flags(command)


def test_every_key_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (?:`\[(\w+)\]`|At the top)$", page, flags=re.MULTILINE)
    sections = {name or "": text for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    assert set(sections) == set(SECTIONS)
    for key in all_keys():
        assert f"| `{key.name}` |" in sections[key.section]
        assert f"`{key.variable}`" in sections[key.section]
    for name, keys in TABLES.items():
        table = sections["alerts"].partition(f"### `[alerts.{name}.<name>]`")[2]
        assert not [key.name for key in keys if f"| `{key.name}` |" not in table]


def test_every_key_of_a_rule_belongs_to_all_kinds_or_to_some() -> None:
    of_kinds = {name for names in RULE_KINDS.values() for name in names}
    assert {key.name for key in RULE} == of_kinds | set(OF_ALL_RULES)
    assert {key.name for key in CHANNEL} == {"kind"} | {
        name for both in CHANNEL_KINDS.values() for one in both for name in one
    }

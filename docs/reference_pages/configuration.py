"""docs/reference/configuration.md: every key that a configuration file may have."""

from __future__ import annotations

from collections.abc import Iterator

from docs.reference_pages.markdown import NOTE, cell, table
from pytest_semantest.protocol.alert_keys import TABLES
from pytest_semantest.protocol.keys import SECTIONS, Key

#: How the values of each kind are written in a file.
KINDS = {
    "flag": "`true` or `false`",
    "text": "string",
    "path": "string, relative to the file's folder",
    "url": "string",
    "integer": "whole number",
    "seconds": "number of seconds",
    "percent": "number from 0 to 100",
    "factor": "number from 1 up",
    "duration": 'string such as `"30d"`, `"12h"`, `"90m"`',
    "size": 'string such as `"500MB"`, `"2 GB"`',
    "lines": "list of strings",
    "patterns": "list of regular expressions",
    "words": "list of strings",
    "labels": 'table: `{ team = "core" }`',
}
SECTION_TEXTS = {
    "": "What pytest's plugin does. The keys stand at the top of `semantest.toml`, before the first section.",
    "recorder": "The options of `semantest-recorder serve` and `start`, also for a recorder that a run starts.",
    "policy": "The security policy that a recorder starts with.",
    "plugins": "Plugins of the recorder. `[plugins.<name>]` holds a plugin's own options, passed on as they are.",
    "cleanup": "What `semantest cleanup` deletes. A run stays only if every key that is set lets it stay.",
    "gate": "What `semantest gate` asks of a run ([ci.md](../guide/ci.md#a-gate)). A key that is not set asks nothing.",
    "alerts": "What the recorder tells people by itself ([alerts.md](../guide/alerts.md)).",
}
TABLE_TEXTS = {
    "rules": "A rule. Which keys it takes beside the first six depends on its kind.",
    "channels": "Where rules are told. Addresses and secrets are named, and stand in the recorder's environment.",
}


def default_text(key: Key) -> str:
    """The default as it would stand in a file."""
    if key.default is None or key.default == ():
        return ""
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f'`"{key.default}"`' if isinstance(key.default, str) else f"`{key.default}`"


def value_text(key: Key) -> str:
    """What a file may say."""
    return " or ".join(f'`"{choice}"`' for choice in key.choices) or KINDS[key.kind]


def alert_parts() -> Iterator[str]:
    """A part for rules and one for channels: they have tables of their own, and no variables."""
    for kind, keys in TABLES.items():
        rows = [(f"`{key.name}`", value_text(key), default_text(key), cell(key.help)) for key in keys]
        header = ("key", "value", "default", "meaning")
        yield f"### `[alerts.{kind}.<name>]`\n\n{TABLE_TEXTS[kind]}\n\n{table(header, rows)}"


def configuration_page() -> str:
    """Every key that a configuration file may have."""
    parts = []
    for section, keys in SECTIONS.items():
        rows = [
            (f"`{key.name}`", value_text(key), default_text(key), f"`{key.variable}`", cell(key.help)) for key in keys
        ]
        title = f"## `[{section}]`" if section else "## At the top"
        header = ("key", "value", "default", "variable", "meaning")
        parts.append(f"{title}\n\n{SECTION_TEXTS[section]}\n\n{table(header, rows)}")
        parts += alert_parts() if section == "alerts" else ()
    return f"""{NOTE}
# Configuration

In `semantest.toml`, or in `[tool.semantest]` of `pyproject.toml`, where the sections are `[tool.semantest.recorder]`
and so on; [the guide](../guide/configuration.md) says which file is read and who wins. Names may be written with
underscores, too. In variables, lists stand one per line (labels also by commas), those of sections separated by blanks.

{chr(10).join(part + chr(10) for part in parts).rstrip()}
"""

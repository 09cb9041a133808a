"""docs/reference/options.md: every way to set up the recording in pytest."""

from __future__ import annotations

import argparse
import re
from typing import Any, cast

import pytest

from docs.reference_pages.markdown import NOTE, cell, table
from pytest_semantest import plugin
from pytest_semantest.protocol.keys import RECORDING


class OptionCollector:
    """Takes what the plugin registers, as pytest does: options into a real argparse parser, ini keys beside it."""

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser(add_help=False)
        self.ini: dict[str, str] = {}

    def getgroup(self, name: str, description: str = "") -> OptionCollector:  # noqa: ARG002 - pytest's
        """All groups are this one."""
        return self

    def addoption(self, *names: str, **attributes: Any) -> None:
        """One command line option."""
        self.parser.add_argument(*names, **attributes)

    def addini(self, name: str, help: str, type: str | None = None, default: object = None) -> None:  # noqa: A002, ARG002
        """One ini key."""
        self.ini[name] = type or "string"


def options_page() -> str:
    """Every way to set up the recording in pytest."""
    collector = OptionCollector()
    plugin.pytest_addoption(cast("pytest.Parser", collector))
    variables = {key.ini: key.variable for key in RECORDING}
    rows = []
    for action in collector.parser._actions:  # noqa: SLF001 - argparse has no public list of them
        name = " ".join((", ".join(action.option_strings), str(action.metavar or ""))).strip()
        also = action.dest in collector.ini and action.option_strings[0] != "--no-semantest"
        ini = f"`{action.dest}` ({collector.ini[action.dest]})" if also else ""
        variable = f"`{variables[action.dest]}`" if also else ""
        meaning = re.sub(r"\s*\(ini: .*?\)$", "", action.help or "")
        rows.append((f"`{name}`", ini, variable, cell(meaning)))
    return f"""{NOTE}
# Options of the pytest plugin

The command line wins over the environment, the environment over `semantest.toml` and `[tool.semantest]` of
`pyproject.toml` ([configuration.md](configuration.md)), those over pytest's ini file (`pytest.ini`,
`[tool.pytest.ini_options]`, ...), that over the default. A value that makes no sense is named in one line, and the
default is taken. Lists: repeat the option, one per line in the ini file and in the environment (labels there also by
commas).

{table(("command line", "ini key", "environment", "meaning"), rows)}
"""

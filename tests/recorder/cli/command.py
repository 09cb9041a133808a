"""Runs ``semantest`` in this process and gives what it printed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import chdir
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from semantest_recorder.cli.semantest import main

#: click before 8.2 writes both into one unless it is told not to.
_APART: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}


class Said(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def semantest(*arguments: str | Path, env: Mapping[str, str | None] | None = None) -> Said:
    """The command with these arguments; an exception inside it is raised here. ``None`` unsets a variable."""
    environment: dict[str, str | None] = {"SEMANTEST_DIR": None, "SEMANTEST_URL": None, "TZ": "UTC", **(env or {})}
    result = CliRunner(**_APART).invoke(main, [str(argument) for argument in arguments], env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def semantest_in(folder: Path, environment: Mapping[str, str], *arguments: str) -> Said:
    """The command in a folder, with exactly this environment."""
    unset = dict.fromkeys(os.environ.keys() - environment.keys())
    with chdir(folder):
        return semantest(*arguments, env={**unset, **environment})

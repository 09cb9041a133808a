"""Runs ``semantest`` in this process and gives what it printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from semantest_recorder.cli.semantest import main


class Said(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def semantest(*arguments: str | Path, env: dict[str, str] | None = None) -> Said:
    """The command with these arguments; an exception inside it is raised here."""
    environment: dict[str, str | None] = {"SEMANTEST_DIR": None, "SEMANTEST_URL": None, "TZ": "UTC", **(env or {})}
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)

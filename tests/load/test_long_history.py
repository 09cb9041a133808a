"""Rows of a long history go through a command without staying in its memory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.children import Program, run
from tests.histories.database import history_folder
from tests.user_environment import user_environment

_RUNS, _FEW, _MANY = 10, 200, 6_000
#: What a command may take more for thirty times as many rows; all of them in memory would take some 100 MiB.
_MORE_MIB = 12.0


def peak_mib(history: Path, *arguments: str) -> float:
    command = [sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments]
    environment = user_environment() | {"SEMANTEST_DIR": str(history)}
    return run(Program(" ".join(arguments), command, history.parent, environment)).peak_mib


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_rows_do_not_stay_in_memory(tmp_path: Path) -> None:
    few = history_folder(_RUNS, _FEW, place=tmp_path / "few")
    many = history_folder(_RUNS, _MANY, place=tmp_path / "many")
    commands = [["sql", "v_results", form] for form in ("--json", "--jsonl", "--csv")]
    commands += [["dump", str(tmp_path / form), "--format", form, "--force"] for form in ("csv", "jsonl")]
    for command in commands:
        assert peak_mib(many, *command) < peak_mib(few, *command) + _MORE_MIB, command

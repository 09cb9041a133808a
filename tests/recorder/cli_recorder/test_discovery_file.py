"""A discovery file that names no address or no process counts as none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.recorder.cli_recorder.daemons import run


@pytest.mark.parametrize(
    "odd",
    [
        {"url": "http://[::1"},
        {"url": "http://127.0.0.1:999999"},
        {"url": "http://127.0.0.1:x"},
        {"url": "http://a b\n:1"},
        {"url": "ftp://127.0.0.1:1"},
        {"url": ""},
        {"pid": 10**18},
        {"pid": 2**31},
        {"pid": 0},
        {"pid": -1},
    ],
    ids=str,
)
def test_a_discovery_file_that_nobody_can_use_is_none(project: Path, odd: dict[str, object]) -> None:
    found = {"pid": 1, "url": "http://127.0.0.1:1", "token": "x", "version": "1", "protocolVersion": 1} | odd
    (project / ".semantest").mkdir()
    (project / ".semantest" / "recorder.json").write_text(json.dumps(found))
    for command in ("status", "stop"):
        done = run(command, cwd=project)
        assert done.returncode == 3, done.stderr
        assert (done.stdout + done.stderr).count("\n") == 1

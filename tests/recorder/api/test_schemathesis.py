"""Schemathesis goes through the description of a real recorder, and finds nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.histories.database import history_folder
from tests.missing import skip_or_fail
from tests.recorder.cli_recorder.daemons import Daemon, environment

#: For how long it makes up requests, in seconds.
_SECONDS = 20
#: A cursor, a moment or a hash may be well-formed and mean nothing: refused with 400 or 422 all the same. HEAD is GET.
_LEFT_OUT = ["--exclude-checks", "positive_data_acceptance", "--exclude-method", "HEAD"]


@pytest.fixture
def schemathesis() -> str:
    """The program that ``SEMANTEST_SCHEMATHESIS`` names."""
    program = os.environ.get("SEMANTEST_SCHEMATHESIS") or shutil.which("schemathesis")
    if not program:
        skip_or_fail("MISSING: Schemathesis (`make test` installs it; else SEMANTEST_SCHEMATHESIS names the program)")
    return program


def test_it_finds_nothing(schemathesis: str, tmp_path: Path) -> None:
    daemon = Daemon(history_folder(6, 60, 1, tmp_path)).ready()
    try:
        told = daemon.discovery
        done = subprocess.run(
            [
                *(schemathesis, "run", f"{told['url']}/api/v1/openapi.json", "--no-color"),
                *("--header", f"Authorization: Bearer {told['token']}", "--max-time", str(_SECONDS), "--seed", "1"),
                *("--phases", "examples,coverage,fuzzing", "--request-timeout", "60", *_LEFT_OUT),
            ],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    finally:
        _code, _out, log = daemon.end()
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in log, log

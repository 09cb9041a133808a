"""Sessions that have ended and are not shipped, for ``--sync``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.shipper.journals import Journal, session

FIRST, SECOND, THIRD = "20261121-080000-aaaaaa", "20261121-090000-bbbbbb", "20261121-100000-cccccc"
NOBODY = "http://127.0.0.1:1"


def ended(directory: Path, name: str, *, url: str | None = None, **told: Any) -> Journal:
    """A session that has ended; ``url``: the recorder that was named for it."""
    journal = Journal(session(directory, name))
    journal.start()
    journal.test("test_a.py::test_one")
    journal.end()
    if url is not None:
        told |= {"recorder": url, "named": True}
    if told:
        (journal.folder / "ship.json").write_text(json.dumps(told))
    return journal


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.readline().decode()

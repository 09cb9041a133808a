"""Commands that are advised: they find the same folder when they are run from where the user is."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from pytest_semantest.protocol.layout import find_directory
from semantest_recorder.cli.place import working_directory


def command_line(command: str, folder: Path, *, program: str = "semantest") -> str:
    """``semantest sync``, with ``--directory`` when it would not find ``folder`` by itself."""
    found = find_directory(os.environ.get("SEMANTEST_DIR"), working_directory(str(folder)))
    known = found is not None and found.resolve() == folder.resolve()
    return f"{program} {command}" if known else f"{program} {command} --directory {quote(str(folder))}"

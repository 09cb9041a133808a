"""Commands that are advised: they find the same folder when they are run from where the user is."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import Stop


def command_line(command: str, folder: Path, *, program: str = "semantest") -> str:
    """``semantest sync``, with ``--directory`` when it would not find ``folder`` by itself."""
    try:
        found = semantest_folder(os.environ.get("SEMANTEST_DIR"), working_directory(str(folder)))
    except Stop:  # a configuration that cannot be read
        found = None
    known = found is not None and found.resolve() == folder.resolve()
    return f"{program} {command}" if known else f"{program} {command} --directory {quote(str(folder))}"

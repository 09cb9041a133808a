"""The name and the folder of a new session."""

from __future__ import annotations

import os
import time


def new_session_id() -> str:
    """``20261121-093000-a1b2c3``: UTC start and 24 random bits."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(3).hex()}"


def make_session_folder(directory: str, folder: str) -> None:
    """Make the session's folder, private to the user, and keep ``.semantest`` out of version control."""
    if not os.path.isdir(directory):
        os.makedirs(directory, 0o700, exist_ok=True)
        with open(os.path.join(directory, ".gitignore"), "w", encoding="ascii") as file:
            file.write("*\n")
    os.makedirs(folder, 0o700)

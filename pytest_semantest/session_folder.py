"""The name and the folder of a new session."""

from __future__ import annotations

import os
import time

from pytest_semantest.protocol.private_folder import make_private_folder


def new_session_id() -> str:
    """``20261121-093000-a1b2c3``: UTC start and 24 random bits."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(3).hex()}"


def make_session_folder(directory: str, folder: str) -> None:
    """Make the session's folder, private to the user. Raises ``OSError``."""
    make_private_folder(directory)
    os.makedirs(folder, 0o700)

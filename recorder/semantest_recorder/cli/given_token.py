"""A token that the user gives by a file: a command line can be read by every user of a machine."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.small_file import read_small_file
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

_MOST_BYTES = 4096


def read_token(path: Path) -> str:
    """The token in a file, whoever made it. Raises ``Stop`` when it cannot be one."""
    token = text_of(path).strip()
    if not is_token(token):
        raise Stop(f"the token in {path} is not one line of visible ASCII characters", EXIT_USAGE)
    return token


def text_of(path: Path) -> str:
    """What is in a file of a token. Raises ``Stop`` when it cannot be read."""
    try:
        return read_small_file(path, _MOST_BYTES)[0].decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Stop(f"cannot read the token file {path}: {reason}", EXIT_USAGE) from None


def is_token(text: str) -> bool:
    """Whether a header can carry the text as a token."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text

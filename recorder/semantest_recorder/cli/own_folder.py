"""A command that writes into a folder looks first whether others can put something into it."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.cli.stop import Stop


def refuse_foreign(folder: Path) -> None:
    """Raises ``Stop`` when others can write the ``.semantest`` folder, or have put something into it.

    To be called before anything is written there; who only reads needs no such folder.
    """
    from pytest_semantest.protocol.private_folder import require_private_folder  # noqa: PLC0415 - for few commands

    try:
        require_private_folder(str(folder))
    except OSError as error:
        raise Stop(f"{error.filename}: {error.strerror}") from None

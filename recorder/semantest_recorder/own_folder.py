"""The ``.semantest`` folder is made by whoever needs it first."""

from __future__ import annotations

from pathlib import Path


def make_folder(directory: Path) -> bool:
    """Creates the folder, for its owner only and out of sight of git; whether it was not there. Raises ``OSError``."""
    is_new = not directory.is_dir()
    if is_new:
        directory.mkdir(parents=True, mode=0o700)
    if not (directory / ".gitignore").exists():
        (directory / ".gitignore").write_text("*\n")
    return is_new

"""Whose files and folders are trusted. Standard library only: pytest imports this module.

Whoever can write a ``.semantest`` folder can give himself tokens, have the recorder write elsewhere, and read what
tests print. Trusted are root, the own user, and whoever owns the folder that is worked in: a checkout, or a folder
that is mounted into a container, often is not root's, who works there.
"""

from __future__ import annotations

import os
from collections.abc import Collection

ROOT = 0


def refuse_owner(owner: int, owners: Collection[int]) -> str | None:
    """Why a file of ``owner`` (all are user ids) is not used, ``None`` when it is one of ``owners`` or root (pure)."""
    return None if owner == ROOT or owner in owners else f"it belongs to user {owner}"


def refuse_writers(mode: int, owner: int, group: int) -> str | None:
    """Why a file or folder with this mode is not used, ``None`` when its owner alone may write it (pure).

    A group of the same number as its owner is that user's own: many systems give everybody one.
    """
    if mode & 0o002:
        return "every user may write it"
    return f"group {group} may write it" if mode & 0o020 and group != owner else None


def is_findable(path: str, start: str) -> bool:
    """Whether what was found at ``path``, on the way from the folder ``start`` upwards, is used."""
    return refuse_found(path, start) is None


def refuse_found(path: str, start: str) -> str | None:
    """Why what lies at ``path`` is not used by somebody who works in ``start``; ``None``: it is, or is not there."""
    try:
        owners = {os.geteuid(), os.stat(start).st_uid}
        owned = [os.lstat(path).st_uid, os.stat(path).st_uid]  # a link may be somebody else's than what it names
    except OSError:
        return None
    return next(filter(None, (refuse_owner(owner, owners) for owner in owned)), None)


def refuse_secret(found: os.stat_result, directory: str) -> str | None:
    """Why a file with tokens in ``directory`` is not used: its owner, or who else may write it; ``None``: it is."""
    foreign = refuse_owner(found.st_uid, {os.geteuid(), os.stat(directory).st_uid})
    if foreign is not None:
        return foreign
    writers = "others may write it" if found.st_mode & 0o022 else None
    return writers if writers is not None and keeps_modes(directory) else None


def keeps_modes(directory: str) -> bool:
    """Whether modes mean anything there: on some mounted file systems every file has the same one."""
    path = os.path.join(directory, f".mode.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return True
    try:
        return not os.fstat(descriptor).st_mode & 0o022
    finally:
        os.close(descriptor)
        os.unlink(path)

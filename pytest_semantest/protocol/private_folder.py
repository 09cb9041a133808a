"""The ``.semantest`` folder is made by whoever needs it first, and is nobody else's to write.

Standard library only: pytest imports this module.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat

from pytest_semantest.protocol.layout import OWN_NAMES
from pytest_semantest.protocol.trust import ROOT, keeps_modes, refuse_owner, refuse_writers
from pytest_semantest.protocol.whole_file import write_whole

_IGNORE = b"*\n"


def make_private_folder(directory: str) -> bool:
    """Creates the folder, for its owner only and out of sight of git; whether it was not there.

    Raises ``OSError``: ``PermissionError`` when others can put something into it, or have done so.
    """
    is_new = not os.path.isdir(directory)
    if is_new:
        os.makedirs(directory, 0o700, exist_ok=True)
    require_private_folder(directory)
    ignore = os.path.join(directory, ".gitignore")
    try:
        is_whole = os.stat(ignore).st_size > 0
    except FileNotFoundError:
        is_whole = False
    if not is_whole:  # an empty one was written to a full disk: git would take tokens
        write_whole(ignore, _IGNORE)
    return is_new


def require_private_folder(directory: str) -> None:
    """Raises ``PermissionError`` when others can put something into a ``.semantest`` folder, or have done so.

    To be called before anything is written into the folder. Root may work in the folder of any user.
    """
    found = os.stat(directory)
    user = os.geteuid()
    foreign = refuse_owner(found.st_uid, {user})
    if foreign is not None and user != ROOT:
        raise _refusal(directory, f"{foreign}, who could read and change what is recorded")
    writers = refuse_writers(found.st_mode, found.st_uid, found.st_gid)
    if writers is not None and keeps_modes(directory):
        advice = f"run `chmod go-w {shlex.quote(directory)}`, or use a folder inside of it"
        raise _refusal(directory, f"{writers}: {advice}")
    for name in OWN_NAMES:
        path = os.path.join(directory, name)
        try:
            there = os.lstat(path)
        except OSError:
            continue
        planted = refuse_owner(there.st_uid, {user, found.st_uid})
        if planted is not None:
            raise _refusal(path, f"{planted}: remove it, unless you know why")
        if stat.S_ISLNK(there.st_mode):
            raise _refusal(path, "it is a symbolic link: remove it")


def _refusal(path: str, why: str) -> PermissionError:
    return PermissionError(errno.EPERM, why, path)

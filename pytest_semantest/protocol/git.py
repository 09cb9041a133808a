"""Reading from a git repository that nobody vouches for."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Mapping

_TIMEOUT_S = 5.0
# Reading must neither lock the index, nor ask for anything, nor run a program that the repository names.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager")
# A hook that runs pytest has these set for the repository of the hook.
_LOCATION = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_ASKS_NOBODY = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "LC_ALL": "C"}
# A missing object is fetched by a program that the repository names; older releases of git know the second alone.
_FETCHES_NOTHING = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": ""}


def run_git(folder: str, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """``git ARGUMENTS`` in the repository of ``folder``, ``None`` when git is not there or takes longer than 5 s.

    No program that the repository names is run by git itself; commands that look at the content of changed files or
    at signatures need more than that.
    """
    own = {name: value for name, value in environment.items() if name not in _LOCATION}
    try:
        return subprocess.run(
            [*_GIT, "-C", folder, *arguments],
            env=own | _ASKS_NOBODY | _FETCHES_NOTHING,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _text(folder: str, environment: Mapping[str, str], *arguments: str) -> str | None:
    """What git prints, ``None`` when it fails, is not there or takes too long."""
    done = run_git(folder, environment, *arguments)
    if done is None or done.returncode != 0:
        return None
    return done.stdout.decode("utf-8", "replace").strip("\n")


class UnknownRevisionError(LookupError):
    """git knows no commit of that name; the text says what to do."""


def file_in_revision(
    folder: str, environment: Mapping[str, str], revision: str, name: str, most: int
) -> tuple[str, bytes | None]:
    """The commit that ``revision`` is in the repository of ``folder``, and what the file ``name`` holds in it.

    ``name`` is relative to ``folder``; ``None`` where that commit has no such file. It is read as it was committed: no
    filter and no conversion of the repository has a say. Raises ``UnknownRevisionError``, and ``OSError`` for a file
    that cannot be read or has more than ``most`` bytes.
    """
    environment = {**environment, "GIT_NO_REPLACE_OBJECTS": "1"}
    commit = None
    if not revision.startswith("-"):
        commit = _text(folder, environment, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not commit:
        raise UnknownRevisionError(
            f"git knows no revision {revision!r} in {folder}; in CI it has to be fetched first: "
            "`git fetch --depth=1 origin main:refs/remotes/origin/main`, or fetch-depth: 0 of actions/checkout "
            "(and git has to trust the folder: safe.directory)"
        )
    blob = f"{commit}:./{name}"
    size = _text(folder, environment, "cat-file", "-s", blob)
    if size is None:
        if _text(folder, environment, "ls-tree", "--name-only", commit, "--", name):
            raise OSError(errno.EIO, f"git cannot read {name} of {revision}")
        return commit, None
    if int(size) > most:
        raise OSError(errno.EFBIG, f"{name} of {revision} is larger than {most} bytes")
    done = run_git(folder, environment, "cat-file", "blob", blob)
    if done is None or done.returncode != 0:
        raise OSError(errno.EIO, f"git cannot read {name} of {revision}")
    return commit, done.stdout

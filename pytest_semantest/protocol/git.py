"""Reading from a git repository that nobody vouches for."""

from __future__ import annotations

import errno
import re
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

#: Where git looks for a name (gitrevisions(7)), in its order.
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
#: The mode of a symbolic link in a tree.
_LINK = "120000"


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
    filter and no conversion of the repository has a say. Raises ``UnknownRevisionError``, and ``OSError`` for what is
    no file, cannot be read or has more than ``most`` bytes.
    """
    environment = {**environment, "GIT_NO_REPLACE_OBJECTS": "1"}
    commit = _commit(folder, environment, revision)
    found = _text(folder, environment, "ls-tree", commit, "--", f"./{name}")
    if not found:
        return commit, None
    mode, _, blob = found.split()[:3]
    if mode == _LINK:
        raise OSError(errno.ELOOP, f"{name} of {revision} is a link, which is not followed")
    size = _text(folder, environment, "cat-file", "-s", blob)
    if size is not None and int(size) > most:
        raise OSError(errno.EFBIG, f"{name} of {revision} is larger than {most} bytes")
    done = run_git(folder, environment, "cat-file", "blob", blob)
    if done is None or done.returncode != 0:
        raise OSError(errno.EIO, f"git cannot read {name} of {revision}")
    return commit, done.stdout


def _commit(folder: str, environment: Mapping[str, str], revision: str) -> str:
    """The id of the commit. Raises ``UnknownRevisionError``, also for a name that may mean two of them.

    git itself prefers a tag to a branch: whoever may push one would choose what is read.
    """
    found = None
    if not revision.startswith("-") and "\0" not in revision:
        found = _text(folder, environment, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not found:
        raise UnknownRevisionError(
            f"git knows no revision {revision!r} in {folder}; in CI it has to be fetched first: "
            "`git fetch --depth=1 origin main:refs/remotes/origin/main`, or fetch-depth: 0 of actions/checkout "
            "(and git has to trust the folder: safe.directory)"
        )
    name = re.split(r"[~^:]|@\{", revision, maxsplit=1)[0]
    possible = [place.format(name) for place in _PLACES]
    known = (_text(folder, environment, "for-each-ref", "--format=%(refname)", *possible) or "").splitlines()
    meant = [place for place in possible if place in known]
    if len(meant) > 1:
        raise UnknownRevisionError(f"revision {revision!r} may mean {' and '.join(meant)}: give the whole name")
    return found

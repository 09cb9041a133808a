"""Reading from a git repository that nobody vouches for."""

from __future__ import annotations

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

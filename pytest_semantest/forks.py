"""How many forks lie between this process and the one that imported this module, known without a system call.

``os.getpid`` costs a test more than most of what is done for it: four calls were a tenth of the recording. Forks by C
code that bypasses Python are not seen: ``Journal.append``, which asks for the pid at the end of a test, tells of them.
"""

from __future__ import annotations

import os

depth = 0


def _in_child() -> None:
    global depth  # noqa: PLW0603 - a count of the process, like its pid
    depth += 1


def note_unseen() -> None:
    """Called in a process that turned out to be a child forked by C code."""
    _in_child()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)

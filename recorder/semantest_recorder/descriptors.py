"""How many files and connections the process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress

#: More is never needed; some systems have a hard limit of a thousand million.
_ENOUGH = 65_536
#: Kept for the database and its readers, the log, plugins and what Python opens by itself.
_RESERVE = 128
_LEAST = 16


def raise_descriptor_limit() -> int:
    """Lets the process open as many descriptors as the system allows it; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # forbidden, as in a container with a filter: then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _ENOUGH if soft == resource.RLIM_INFINITY else min(soft, _ENOUGH)


def most_connections(descriptors: int) -> int:
    """How many connections fit (pure): each may have a file open beside its socket, such as an attachment."""
    return max(_LEAST, (descriptors - _RESERVE) // 2)

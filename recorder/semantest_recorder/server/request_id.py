"""The id of a request: one that its client gave, or a new one. It is in the answer and in what is logged meanwhile."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: In requests and in answers.
HEADER: Final = "X-Request-Id"
#: What a log and a header take as it is: strangers may send one, too.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@~-]{0,127}")
_present: ContextVar[str] = ContextVar("request_id", default="")


def id_of(given: Sequence[str]) -> str:
    """The id that the headers of a request give it, when it is the only one and sane; else a new one."""
    if len(given) == 1 and _SANE.fullmatch(given[0]):
        return given[0]
    return secrets.token_hex(8)


@contextmanager
def in_request(request_id: str) -> Iterator[None]:
    """What the block does, and the tasks and threads that it begins, is done for this request."""
    before = _present.set(request_id)
    try:
        yield
    finally:
        _present.reset(before)


def present_request_id() -> str:
    """The id of the request for which something is done now; empty for none."""
    return _present.get()

"""Refusals as answers over HTTP."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.problem import problem

#: What a code means in HTTP; what is not here is the recorder's own fault.
STATUS: Final = {
    "INVALID_REQUEST": 400,
    "INVALID_MESSAGE": 400,
    "INVALID_PATTERN": 400,
    "FORBIDDEN": 403,
    "RUN_NOT_FOUND": 404,
    "BRANCH_NOT_FOUND": 404,
    "TEST_NOT_FOUND": 404,
    "TOKEN_NOT_FOUND": 404,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "AMBIGUOUS_NAME": 409,
    "NAME_TAKEN": 409,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "STOPPING": 503,
    "STORE_ERROR": 503,
}
_AGAIN: Final = {"Retry-After": "1"}

_log = logging.getLogger(__name__)


def problem_of(refusal: Refusal) -> web.Response:
    """The answer to a request that is refused."""
    status = STATUS.get(refusal.code, 503)
    return problem(status, refusal.code, str(refusal), dict(_AGAIN) if status in (429, 503) else None)

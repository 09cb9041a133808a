"""Shapes of what is sent and answered where no report has one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from semantest_recorder.core.access import Role
from semantest_recorder.core.policy import Policy

SCHEMA = 1
_TEN_YEARS_S = 10 * 366 * 86_400


class Document(msgspec.Struct, rename="camel", kw_only=True):
    """Base of all: camelCase names."""


class CancelRequest(Document, forbid_unknown_fields=True):
    """Why a run is cancelled, and how long its processes have to end by themselves, in milliseconds."""

    reason: Annotated[str, Meta(max_length=500)] | None = None
    grace_ms: Annotated[float, Meta(ge=0, le=600_000)] | None = None


class RunStatus(Document):
    """A run in the words of the WebSocket's `runStatus`; times in milliseconds since the epoch."""

    run_id: str
    status: str
    state: str
    name: str | None
    origin: str
    start_time: float | None
    end_time: float | None
    stop_reason: str | None
    total_suites: int
    completed_suites: int
    total_tests: int
    completed_tests: int
    running_tests: int
    passed_tests: int
    failed_tests: int
    skipped_tests: int
    flaky_tests: int
    quarantined_tests: int
    shard_count: int
    shards_missing: int


class TokenInfo(Document):
    """A token that was given out; times in milliseconds since the epoch."""

    name: str
    roles: list[Role]
    created_ms: float
    expires_ms: float | None
    expired: bool


class TokenList(Document, kw_only=True):
    """All tokens but for the recorder's own."""

    schema: int = SCHEMA
    tokens: list[TokenInfo]


class TokenRequest(Document, forbid_unknown_fields=True):
    """Who gets a token, for what, and for how many seconds; without them it does not expire."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    roles: Annotated[list[Role], Meta(min_length=1, max_length=len(Role))]
    expires_in_s: Annotated[int, Meta(ge=1, le=_TEN_YEARS_S)] | None = None


class NewToken(TokenInfo, kw_only=True):
    """A token, shown this once: only its hash is kept."""

    schema: int = SCHEMA
    token: str


class PolicyChange(Policy, forbid_unknown_fields=True, frozen=True):
    """What of the policy is set anew; the rest stays."""

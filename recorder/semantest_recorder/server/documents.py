"""Shapes of what the server's own routes answer."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Document(msgspec.Struct, rename="camel", kw_only=True):
    """Base of all: camelCase names."""


class Deleted(Document):
    """What became of runs that were to be deleted: `kept` are those of which something came meanwhile."""

    deleted: list[str]
    kept: list[str]


class SignInCode(Document):
    """A code that a browser signs in with, once and within this time in milliseconds."""

    code: str
    expires_in_ms: float


class StoredArtifact(Document):
    """An attachment that is stored; its size in bytes."""

    sha256: str
    size: int


class HookCounts(Document):
    """What became of the calls of a plugin's hook."""

    calls: int
    failures: int
    timeouts: int
    total_ms: float
    last_error: str | None
    last_error_ms: float | None


class PluginInfo(Document):
    """A plugin, in the order in which they are called."""

    name: str
    origin: str
    enabled: bool
    disabled_because: str | None
    hooks: dict[str, HookCounts]


class PluginList(Document):
    """The plugins, and how far they are behind."""

    timeout_ms: float
    pending_events: int
    waiting_notices: int
    skipped_events: int
    replaced_threads: int
    plugins: list[PluginInfo]


class RecorderStatus(Document):
    """What `semantest-recorder status --json` shows; more fields may follow."""

    status: Literal["ok", "degraded", "stopping"]
    store_error: str | None
    pending_events: int
    uptime_ms: float
    connections: int
    subscribers: int
    pid: int
    url: str
    version: str
    protocol_version: int
    database: str
    database_bytes: int
    counts: dict[str, int]
    plugins: PluginList
    options: dict[str, Any]

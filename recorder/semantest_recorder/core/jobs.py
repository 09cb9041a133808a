"""What the sessions of a run are called, where it has several: shards and jobs of CI (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pytest_semantest.protocol.events import RUN_CONTEXT, RUN_START


class SessionOrigin(msgspec.Struct):
    """What a session says of where it ran: its labels, its job in CI, its name, its shard (``1/3``), its host."""

    session: str
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    shard: str | None = None
    ci_job: str | None = None
    name: str | None = None
    host: str | None = None


def add_origin(origin: SessionOrigin, kind: str, payload: Any) -> None:
    """Takes what a ``run/start``, ``run/selection`` or ``run/context`` says; a value of a wrong type says nothing."""
    if not isinstance(payload, dict):
        return
    if kind == RUN_START:
        labels = payload.get("labels")
        origin.labels = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
        origin.name, origin.host = _text(payload.get("name")), _text(payload.get("host"))
    elif kind == RUN_CONTEXT and isinstance(ci := payload.get("ci"), dict):
        origin.ci_job = _text(ci.get("jobId"))
    elif isinstance(shard := payload.get("shard"), dict):
        origin.shard = f"{shard.get('index')}/{shard.get('of')}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def job_names(origins: Sequence[SessionOrigin]) -> dict[str, str]:
    """A name for each session by which it can be told from the others; nothing for a single one.

    Labels that differ come first (``os=linux``), then shard, job in CI, name and host, as far as they are needed; the
    session's own name is the last resort.
    """
    if len(origins) < 2:
        return {}
    words: dict[str, list[str]] = {origin.session: [] for origin in origins}
    for part in _parts(origins):
        if len(set(part.values())) < 2:
            continue
        for session, text in part.items():
            if text:
                words[session].append(text)
        names = {session: " ".join(found) for session, found in words.items()}
        if len(set(names.values())) == len(names) and all(names.values()):
            return names
    return {session: " ".join([*found, session]) for session, found in words.items()}


def _parts(origins: Sequence[SessionOrigin]) -> list[dict[str, str]]:
    """By session, one kind of word after the other."""
    keys = sorted({key for origin in origins for key in origin.labels})
    differing = [key for key in keys if len({origin.labels.get(key) for origin in origins}) > 1]
    labels = {
        origin.session: " ".join(f"{key}={origin.labels[key]}" for key in differing if key in origin.labels)
        for origin in origins
    }
    shards = {origin.session: f"shard {origin.shard}" if origin.shard else "" for origin in origins}
    rest = [{origin.session: getattr(origin, name) or "" for origin in origins} for name in ("ci_job", "name", "host")]
    return [labels, shards, *rest]

"""The guard, as the original's SecurityMiddleware has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from semantest_recorder.core.security import Limited, Security
from semantest_recorder.embedding.spelling import camel_keys
from semantest_recorder.engine import now_ms

if TYPE_CHECKING:
    from semantest_recorder.embedding.integration import OrchestratorIntegration


class SecurityMiddleware:
    """The policy, which may change at any time, and what the guard has seen."""

    def __init__(self, system: OrchestratorIntegration) -> None:
        self._system = system

    def validate_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """``{valid, errors?}``; the event is not taken by it."""
        size = len(msgspec.json.encode(event))
        problems = self._guard.validate(event, size, now_ms())
        return {"valid": not problems} | ({"errors": msgspec.to_builtins(problems)} if problems else {})

    def update_policy(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes keys of the policy (snake_case allowed), for everybody, at once. Raises ``InvalidPolicy``."""
        policy: dict[str, Any] = msgspec.to_builtins(self._guard.update_policy(camel_keys(changes)))
        return policy

    def get_policy(self) -> dict[str, Any]:
        """The policy that holds now."""
        policy: dict[str, Any] = msgspec.to_builtins(self._guard.policy)
        return policy

    def requires_authentication(self) -> bool:
        """Whether clients without a token are refused."""
        return self._guard.policy.require_authentication

    def get_rate_limit_stats(self, client_id: str | None = None) -> dict[str, Any]:
        """``{limit, remaining, hits}`` of a connected client, or of all of them by id."""
        stats = self._guard.rate_limit_stats(now_ms())
        if client_id is None:
            return {name: msgspec.to_builtins(limited) for name, limited in stats.items()}
        limit = self._guard.policy.max_events_per_second
        known = stats.get(client_id)
        found: dict[str, Any] = msgspec.to_builtins(Limited(limit, limit, 0) if known is None else known)
        return found

    def reset_rate_limit(self, client_id: str) -> None:
        """Forgets what a client has sent."""
        self._guard.forget(client_id)

    def get_metrics(self) -> dict[str, Any]:
        """As ``getSecurityMetrics`` of the wire."""
        return self._guard.metrics(now_ms())

    @property
    def _guard(self) -> Security:
        return self._system.security

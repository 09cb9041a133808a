"""The security policy: what clients may send, and how much. It can be changed while the recorder runs (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec

from semantest_recorder.core.subscription import InvalidPattern, Subscription

#: A fast local suite sends some thousand events a second; the limit is for clients that went mad.
DEFAULT_RATE = 50_000

EventTypes = tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...]


class InvalidPolicy(ValueError):  # noqa: N818 - named for what it says about its argument
    """A policy that means nothing; the text says which key and what would be right."""


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """What is refused or delayed.

    ``max_events_per_second`` holds for each client in a sliding window of a second, ``max_event_size`` (bytes) for
    one-off events. Types are exact or patterns such as ``test/*``; ``None`` allows all. ``require_authentication``:
    clients without a token are refused. ``allowed_clients`` are names of tokens, ``None`` allows every known one.
    ``scan_content``: texts that look like an injection are refused (one-off) or marked (shipped).
    """

    max_events_per_second: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] = DEFAULT_RATE
    max_event_size: Annotated[int, msgspec.Meta(ge=256, le=16 * 1024 * 1024)] = 1024 * 1024
    allowed_event_types: EventTypes | None = None
    blocked_event_types: EventTypes = ()
    require_authentication: bool = True
    allowed_clients: tuple[str, ...] | None = None
    scan_content: bool = True

    def changed(self, changes: Mapping[str, Any]) -> Policy:
        """The policy with some keys (camelCase) set anew. Raises ``InvalidPolicy``."""
        known = {field.encode_name: field.name for field in msgspec.structs.fields(Policy)}
        for key in changes:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise InvalidPolicy(f"the policy has no {key!r}; {hint}")
        try:
            policy: Policy = msgspec.convert({**msgspec.to_builtins(self), **changes}, Policy)
            TypeRules(policy)
            msgspec.json.encode(policy)  # clients are told what it is
        except (msgspec.ValidationError, InvalidPattern) as error:
            raise InvalidPolicy(str(error)) from None
        except UnicodeEncodeError:  # a variable may hold any bytes
            raise InvalidPolicy("the policy holds a text that is not UTF-8") from None
        return policy


class TypeRules:
    """Which event types a policy lets in. Raises ``InvalidPattern``."""

    def __init__(self, policy: Policy) -> None:
        self._blocked = Subscription()
        self._blocked.add(policy.blocked_event_types)
        self._allowed: Subscription | None = None
        if policy.allowed_event_types is not None:
            self._allowed = Subscription()
            self._allowed.add(policy.allowed_event_types)

    @property
    def refuse_some(self) -> bool:
        """Whether there is any type that they do not let in."""
        return bool(self._blocked) or self._allowed is not None

    def refuse(self, event_type: str) -> str | None:
        """The validation code for a type that is not let in."""
        if self._blocked.matches(event_type):
            return "EVENT_TYPE_BLOCKED"
        if self._allowed is not None and not self._allowed.matches(event_type):
            return "EVENT_TYPE_NOT_ALLOWED"
        return None

"""Patterns, policies and options of filters that clients and files may give."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec

from semantest_recorder.core.policy import InvalidPolicy, Policy, TypeRules
from semantest_recorder.core.run_config import InvalidConfig, RunConfig, config_of, read_config
from semantest_recorder.core.subscription import InvalidPattern, Subscription
from semantest_recorder.plugins.builtin.event_filter import EventFilter
from semantest_recorder.plugins.builtin.options import InvalidOptions
from semantest_recorder.plugins.configuration import InvalidPlugins, read_section
from tests.choices import Choices

_PIECES = (
    *("test", "/", ".", "*", "start", "", " ", "\n", "\0", "\ud800", "é", "x" * 201),
    *("[", "(", "?P<", "+", "{9999999999}"),
)
_KEYS = (
    *("maxEventsPerSecond", "maxEventSize", "allowedEventTypes", "blockedEventTypes", "requireAuthentication"),
    *("allowedClients", "scanContent", "runId", "retries", "timeout", "tags", "browsers", "maxConcurrency", "name"),
    *("fields", "patterns", "environment", "enabled", "disabled", "modules", "failFast", "maxEventSizes", "\ud800"),
)


def check(choose: Choices) -> None:
    """What means nothing is refused by the error that says so; what is taken means what its text says."""
    _check_subscription(choose)
    table = {choose.of(_KEYS): _value(choose, 0) for _ in range(choose.number(0, 4))}
    with suppress(InvalidPolicy):
        policy = Policy().changed(table)
        assert msgspec.convert(msgspec.to_builtins(policy), Policy) == policy
        TypeRules(policy).refuse(_text(choose))
    with suppress(InvalidOptions):
        EventFilter.read(table)
    with suppress(InvalidPlugins):
        read_section(table)
    with suppress(InvalidConfig):
        assert isinstance(read_config(json.dumps(table).encode()), RunConfig)
    assert config_of({"config": table}, "r").run_id == "r"
    with suppress(InvalidConfig):
        read_config(choose.rest())


def _check_subscription(choose: Choices) -> None:
    subscription, patterns = Subscription(), [_text(choose) for _ in range(choose.number(0, 4))]
    kind = _text(choose)
    try:
        subscription.add(patterns)
    except InvalidPattern:
        assert not subscription, "all or none"
        return
    expected = any(
        pattern == "*"
        or pattern == kind
        or (pattern[-2:] in ("/*", ".*") and kind[: len(pattern) - 1] in (pattern[:-2] + "/", pattern[:-2] + "."))
        for pattern in patterns
    )
    assert subscription.matches(kind) == expected
    subscription.discard(patterns)
    assert not subscription
    assert not subscription.matches(kind)


def _value(choose: Choices, depth: int) -> object:
    kind = choose.number(0, 7 if depth < 3 else 5)
    if kind < 3:
        return _text(choose)
    if kind == 3:
        return choose.of((None, True, False))
    if kind == 4:
        return choose.of((0, 1, -1, 2**53, 10**30, 300))
    if kind == 5:
        return choose.of((1.5, 1e300, float("inf"), float("nan"), -0.0))
    if kind == 6:
        return [_value(choose, depth + 1) for _ in range(choose.number(0, 3))]
    return {choose.of(_KEYS): _value(choose, depth + 1) for _ in range(choose.number(0, 3))}


def _text(choose: Choices) -> str:
    return "".join(choose.of(_PIECES) for _ in range(choose.number(0, 4)))

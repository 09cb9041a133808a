"""Rules and channels out of the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pytest_semantest.protocol.alert_keys import CHANNEL, CHANNEL_KINDS, OF_ALL_RULES, RULE, RULE_KINDS
from pytest_semantest.protocol.globs import glob_pattern
from pytest_semantest.protocol.keys import Key
from semantest_recorder.core.amounts import bytes_of, milliseconds_of

#: What ``factor`` and ``at-least`` are where nobody says it.
_FACTORS: Final = {"run-slower": 1.2, "hanging-test": 3.0}
_AT_LEAST: Final = {"run-slower": "10s", "hanging-test": "60s"}
#: The channel that there is without any: what is told must be somewhere.
LOG: Final = "log"
_TIMEOUTS: Final = (1, 60)


class InvalidAlerts(ValueError):  # noqa: N818 - named for what it says about its argument
    """The section cannot be used; ``problems`` are lines that name the table and say what would be right."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = f" (and {len(problems) - 1} more: semantest config check)" if len(problems) > 1 else ""
        super().__init__(problems[0] + more)


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is told. ``url_env`` and ``secret_env`` name environment variables; ``timeout_s`` is of a try."""

    name: str
    kind: str
    url_env: str = ""
    secret_env: str = ""
    timeout_s: float = 10.0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at, and who is told. Milliseconds and bytes; what a kind does not take has its default.

    ``branches`` are patterns, none of them: all branches. ``repeat_ms`` 0: nothing is told again. ``rate`` is a
    share from 0 to 1.
    """

    name: str
    kind: str
    channels: tuple[str, ...]
    branches: tuple[str, ...] = ()
    severity: str = "warning"
    repeat_ms: float = 0.0
    resolved: bool = True
    base: str | None = None
    rate: float = 0.05
    flaky_runs: int = 2
    runs: int = 50
    factor: float = 1.2
    at_least_ms: float = 0.0
    new_after_ms: float = 0.0
    max_duration_ms: float = 0.0
    min_free: int = 0

    def is_about(self, branch: str | None, pull_request: str | None = None) -> bool:
        """Whether it looks at runs of this branch; at those without one only when it looks at all.

        Neither is a pull request's: its branch may be that of a fork, and be called as ours is.
        """
        if not self.branches:
            return True
        return pull_request is None and any(matches(one, branch or "") for one in self.branches)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section. ``keep_ms``: how long what is over is kept; ``link``: the address for links, empty for our own."""

    rules: tuple[Rule, ...] = ()
    channels: tuple[Channel, ...] = ()
    keep_ms: float = 30 * 86_400_000.0
    link: str = ""
    allow_hosts: tuple[str, ...] = ()


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern of the configuration, in which ``*`` is any text, is about ``name``."""
    return glob_pattern(pattern).fullmatch(name) is not None


def read_alerts(
    own: Mapping[str, Any], rules: Mapping[str, Mapping[str, Any]], channels: Mapping[str, Mapping[str, Any]]
) -> AlertSettings:
    """The settings; each value is of the type of its key already. Raises ``InvalidAlerts``.

    Without channels there is one of kind ``log``.
    """
    problems: list[str] = []
    made = [Channel(name=LOG, kind="log")] if not channels else list(_channels(channels, problems))
    names = list(channels or [LOG])
    repeat_ms = milliseconds_of(own["repeat"]) or 0.0
    found = list(_rules(rules, names, repeat_ms, problems))
    if problems:
        raise InvalidAlerts(problems)
    return AlertSettings(
        rules=tuple(found),
        channels=tuple(made),
        keep_ms=max(milliseconds_of(own["keep"]) or 0.0, 3_600_000.0),
        link=(own["link"] or "").rstrip("/"),
        allow_hosts=tuple(own["allow-hosts"]),
    )


def _channels(tables: Mapping[str, Mapping[str, Any]], problems: list[str]) -> Iterator[Channel]:
    for name, table in tables.items():
        place = f"[alerts.channels.{name}]"
        kind = table.get("kind")
        if kind not in CHANNEL_KINDS:
            problems.append(f"{place} needs kind = one of {', '.join(CHANNEL_KINDS)}")
            continue
        needed, further = CHANNEL_KINDS[kind]
        problems += _foreign(place, kind, table, ("kind", *needed, *further))
        problems += [f"{place} needs {key}: the name of a variable" for key in needed if not table.get(key)]
        values = _values(CHANNEL, table)
        least, most = _TIMEOUTS
        if not least <= values["timeout"] <= most:
            problems.append(f"{place} timeout is {values['timeout']:g}, and must be from {least} to {most} seconds")
        yield Channel(
            name=name,
            kind=kind,
            url_env=values["url-env"] or "",
            secret_env=values["secret-env"] or "",
            timeout_s=float(values["timeout"]),
        )


def _rules(
    tables: Mapping[str, Mapping[str, Any]], channels: Sequence[str], repeat_ms: float, problems: list[str]
) -> Iterator[Rule]:
    for name, table in tables.items():
        place = f"[alerts.rules.{name}]"
        kind = table.get("kind")
        if kind not in RULE_KINDS:
            problems.append(f"{place} needs kind = one of {', '.join(RULE_KINDS)}")
            continue
        problems += _foreign(place, kind, table, (*OF_ALL_RULES, *RULE_KINDS[kind]))
        problems += [
            f"{place} names the channel {one!r}, and there {'are' if len(channels) > 1 else 'is'} {', '.join(channels)}"
            for one in table.get("channels", ())
            if one not in channels
        ]
        if kind == "budget-exceeded" and "max-duration" not in table:
            problems.append(f'{place} needs max-duration, such as "10m"')
        if kind == "recorder-unhealthy" and table.get("branches"):
            problems.append(f"{place} is about the recorder itself, which has no branches")
        yield _rule(name, kind, _values(RULE, table), channels, repeat_ms)


def _foreign(place: str, kind: str, table: Mapping[str, Any], known: Sequence[str]) -> Iterator[str]:
    for key in table:
        if key not in known:
            yield f"{place} {key} is none of kind {kind}, which has {', '.join(known)}"


def _values(keys: Iterable[Key], table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.name: table.get(key.name, key.default) for key in keys}


def _rule(name: str, kind: str, values: Mapping[str, Any], channels: Sequence[str], repeat_ms: float) -> Rule:
    at_least = values["at-least"] or _AT_LEAST.get(kind, "0s")
    repeat = values["repeat"]
    return Rule(
        name=name,
        kind=kind,
        channels=tuple(dict.fromkeys(values["channels"] or channels)),
        branches=tuple(values["branches"]),
        severity=values["severity"],
        repeat_ms=repeat_ms if repeat is None else milliseconds_of(repeat) or 0.0,
        resolved=values["resolved"],
        base=values["base"],
        rate=values["rate"] / 100,
        flaky_runs=values["flaky-runs"],
        runs=values["runs"],
        factor=values["factor"] or _FACTORS.get(kind, 1.0),
        at_least_ms=milliseconds_of(at_least) or 0.0,
        new_after_ms=milliseconds_of(values["new-after"]) or 0.0,
        max_duration_ms=milliseconds_of(values["max-duration"] or "0s") or 0.0,
        min_free=bytes_of(values["min-free"]) or 0,
    )

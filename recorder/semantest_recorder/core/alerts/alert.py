"""What becomes of an alert: it fires, it is over, and people are told of each change once.

One rule decides all of it: something is told when what people were told last is not how it is, and once more when it is
seen to fire after the rule's repeat interval. Whatever is silenced meanwhile is compared again when the silence ends.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from semantest_recorder.core.alerts.settings import Rule

State = Literal["firing", "resolved"]
#: Texts that come from tests are kept so long at most.
MOST_TEXT: Final = 500


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """That a rule looked at a subject, and whether it fires. ``summary`` is one sentence on why, or on why no more.

    ``subject`` is what it is about, and tells it from all others of the rule: a branch, a test. ``weight``: how much
    was looked at, such as the number of tests of a run; what has less than half of it cannot end an alert.
    """

    subject: str
    firing: bool
    summary: str
    branch: str | None = None
    run_id: str | None = None
    test_id: str | None = None
    weight: int = 0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A subject of a rule that has fired once. Times are milliseconds since the epoch.

    ``since_ms``: when it came into its state; ``seen_ms``: when it was looked at last. ``told_state`` and ``told_ms``:
    what people were told last, and when; ``None``: nothing yet.
    """

    rule: str
    subject: str
    kind: str
    severity: str
    state: State
    since_ms: float
    seen_ms: float
    summary: str
    branch: str | None = None
    run_id: str | None = None
    test_id: str | None = None
    weight: int = 0
    told_state: State | None = None
    told_ms: float | None = None


def seen(alert: Alert | None, rule: Rule, sighting: Sighting, now_ms: float) -> Alert | None:
    """The alert after a sighting; ``None`` when there is none: what never fired is none."""
    if alert is None and not sighting.firing:
        return None
    state: State = "firing" if sighting.firing else "resolved"
    weight = sighting.weight
    if alert is not None and alert.state == state == "firing":
        weight = max(weight, alert.weight)  # a rerun of three tests that fails, too, makes it no smaller matter
    if alert is not None and state == "resolved" and (alert.state == state or 2 * sighting.weight < alert.weight):
        return alert
    return Alert(
        rule=rule.name,
        subject=sighting.subject,
        kind=rule.kind,
        severity=rule.severity,
        state=state,
        since_ms=alert.since_ms if alert is not None and alert.state == state else now_ms,
        seen_ms=now_ms,
        summary=sighting.summary[:MOST_TEXT],
        branch=sighting.branch,
        run_id=sighting.run_id,
        test_id=sighting.test_id,
        weight=weight,
        told_state=alert.told_state if alert is not None else None,
        told_ms=alert.told_ms if alert is not None else None,
    )


def is_due(alert: Alert, rule: Rule, now_ms: float, *, silenced: bool) -> bool:
    """Whether people are to be told how it is."""
    if silenced:
        return False
    if alert.state != (alert.told_state or "resolved"):
        return True
    if alert.state == "resolved" or not rule.repeat_ms:
        return False
    # Seen now: a branch or a test that is gone must not be told of day after day.
    return alert.seen_ms >= now_ms and now_ms - (alert.told_ms or 0.0) >= rule.repeat_ms


def told(alert: Alert, now_ms: float) -> Alert:
    """The alert once people were told how it is, or need not be."""
    return msgspec.structs.replace(alert, told_state=alert.state, told_ms=now_ms)


def is_worth_telling(alert: Alert, rule: Rule) -> bool:
    """Whether its rule tells this state at all."""
    return alert.state == "firing" or rule.resolved

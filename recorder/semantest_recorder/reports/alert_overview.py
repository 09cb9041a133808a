"""Alerts, silences and dead letters: their public shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.delivery import Delivery
from semantest_recorder.core.alerts.message import Message, harmless
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.report import Public

ALERTS_SCHEMA: Final = 1
#: So many deliveries of an alert are shown, the newest ones.
_DELIVERIES: Final = 5


class DeliveryInfo(Public, kw_only=True):
    """A message to one channel. ``state``: queued, delivered or dead; ``answer``: what the other side said last."""

    id: str
    channel: str
    rule: str
    state: str
    title: str
    tries: int
    made_at: str | None
    next_at: str | None
    ended_at: str | None
    answer: str


class AlertInfo(Public, kw_only=True):
    """One alert. ``state``: firing or resolved, since ``since_at``; ``told_state``: what people were told last."""

    rule: str
    kind: str
    severity: str
    state: str
    subject: str
    summary: str
    branch: str | None
    run: str | None
    test: str | None
    since_at: str | None
    since_ms: float
    told_state: str | None
    told_at: str | None
    silenced: bool
    deliveries: list[DeliveryInfo]


class SilenceInfo(Public, kw_only=True):
    """A silence that holds: until when, why and who said so. ``rule`` and ``subject`` are patterns."""

    id: str
    rule: str
    subject: str
    until_at: str | None
    until_ms: float
    reason: str
    who: str


class AlertOverview(Public, kw_only=True):
    """What ``semantest alerts --json`` prints: what fires, the worst first, then what is over; the newest first.

    ``queued``: how many deliveries wait for their next try. ``next``: the cursor of the page behind, where pages are
    asked for; ``None`` on the last one.
    """

    schema: int = ALERTS_SCHEMA
    alerts: list[AlertInfo]
    silences: list[SilenceInfo]
    dead: list[DeliveryInfo]
    queued: int
    next: str | None = None


def alert_overview(
    alerts: Iterable[Alert],
    silences: Sequence[Silence],
    deliveries: Sequence[Delivery],
    dead: Sequence[Delivery],
    queued: int,
    now_ms: float,
) -> AlertOverview:
    """The public shape; ``deliveries`` come the newest first."""
    told: dict[tuple[str, str], list[DeliveryInfo]] = defaultdict(list)
    for delivery in deliveries:
        message = msgspec.json.decode(delivery.body, type=Message)
        info = _delivery(delivery, message)
        for part in message.alerts:
            told[message.rule, part.subject].append(info)
    return AlertOverview(
        alerts=[
            _alert(alert, silences, told.get((alert.rule, harmless(alert.subject)), ()), now_ms) for alert in alerts
        ],
        silences=[
            SilenceInfo(
                id=one.id,
                rule=one.rule,
                subject=one.subject,
                until_at=iso_time(one.until_ms),
                until_ms=one.until_ms,
                reason=one.reason,
                who=one.who,
            )
            for one in silences
        ],
        dead=[delivery_info(one) for one in dead],
        queued=queued,
    )


def delivery_info(delivery: Delivery) -> DeliveryInfo:
    """The public shape of a delivery."""
    return _delivery(delivery, msgspec.json.decode(delivery.body, type=Message))


def _delivery(delivery: Delivery, message: Message) -> DeliveryInfo:
    return DeliveryInfo(
        id=delivery.id,
        channel=delivery.channel,
        rule=delivery.rule,
        state=delivery.state,
        title=message.title,
        tries=delivery.tries,
        made_at=iso_time(delivery.made_ms),
        next_at=iso_time(delivery.next_ms) if delivery.state == "queued" else None,
        ended_at=iso_time(delivery.ended_ms),
        answer=delivery.answer,
    )


def _alert(alert: Alert, silences: Iterable[Silence], told: Sequence[DeliveryInfo], now_ms: float) -> AlertInfo:
    return AlertInfo(
        rule=alert.rule,
        kind=alert.kind,
        severity=alert.severity,
        state=alert.state,
        subject=alert.subject,
        summary=alert.summary,
        branch=alert.branch,
        run=alert.run_id,
        test=alert.test_id,
        since_at=iso_time(alert.since_ms),
        since_ms=alert.since_ms,
        told_state=alert.told_state,
        told_at=iso_time(alert.told_ms),
        silenced=any(one.covers(alert.rule, alert.subject, now_ms) for one in silences),
        deliveries=list(told[:_DELIVERIES]),
    )

"""Alerts, silences and dead letters: their public shape and its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.delivery import Delivery
from semantest_recorder.core.alerts.message import Message, harmless
from semantest_recorder.core.alerts.silence import Silence, silence_over
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Public
from semantest_recorder.reports.wording import moment, plural

if TYPE_CHECKING:
    from rich.text import Text

ALERTS_SCHEMA: Final = 1
#: So many deliveries of an alert are shown, the newest ones.
_DELIVERIES: Final = 5
#: So many alerts that are over stand in the text.
_OVER: Final = 20


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
    """What ``semantest alerts --json`` prints: what fires first, then what is over, the newest first.

    ``queued``: how many deliveries wait for their next try.
    """

    schema: int = ALERTS_SCHEMA
    alerts: list[AlertInfo]
    silences: list[SilenceInfo]
    dead: list[DeliveryInfo]
    queued: int


def alert_overview(
    alerts: Iterable[Alert],
    silences: Sequence[Silence],
    deliveries: Sequence[Delivery],
    dead: Sequence[Delivery],
    now_ms: float,
) -> AlertOverview:
    """The public shape; ``deliveries`` come the newest first."""
    told: dict[tuple[str, str], list[DeliveryInfo]] = defaultdict(list)
    for delivery in deliveries:
        message = msgspec.json.decode(delivery.body, type=Message)
        for part in message.alerts:
            told[message.rule, part.subject].append(_delivery(delivery, message))
    return AlertOverview(
        alerts=[_alert(alert, silences, told[alert.rule, harmless(alert.subject)], now_ms) for alert in alerts],
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
        queued=sum(one.state == "queued" for one in deliveries),
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
        silenced=silence_over(silences, alert.rule, alert.subject, now_ms) is not None,
        deliveries=list(told[:_DELIVERIES]),
    )


_REACHED: Final = {"delivered": "was told", "queued": "is to be told", "dead": "was not reached"}
_STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def overview_lines(found: AlertOverview) -> Iterator[Text]:
    """What fires, what is over, silences, and what could not be delivered."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    firing = [one for one in found.alerts if one.state == "firing"]
    over = [one for one in found.alerts if one.state == "resolved"]
    yield Text(f"{plural(len(firing), 'alert')} firing, {len(over)} over", "bold")
    for alert in (*firing, *over[:_OVER]):
        yield from _alert_lines(alert)
    if len(over) > _OVER:
        yield Text(f"... and {len(over) - _OVER} more that are over: --json has them", "dim")
    for silence in found.silences:
        yield Text(inert_line(f"silence {silence.id}: {_silence_words(silence)}"), "dim")
    if found.queued:
        yield Text(f"waiting to be sent: {plural(found.queued, 'message')}, by the recorder while it runs")
    if found.dead:
        yield Text(f"{plural(len(found.dead), 'message')} could not be delivered: `semantest alerts dead`", "red")


def _alert_lines(alert: AlertInfo) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - the same

    is_firing = alert.state == "firing"
    line = Text(alert.severity.upper() if is_firing else "over", _STYLES[alert.severity] if is_firing else "green")
    yield line.append(inert_line(f"  {alert.rule}: {alert.subject}"), "bold")
    yield Text(inert_line(f"  {alert.summary}, since {moment(alert.since_ms)}"))
    run = f"  semantest report {alert.run}" if alert.run else ""
    if run:
        yield Text(inert_line(run), "dim")
    yield Text(inert_line(f"  {_told_words(alert)}"), "dim")


def _told_words(alert: AlertInfo) -> str:
    if not alert.deliveries:
        return "silenced, nobody was told" if alert.silenced else "nobody was told"
    latest = {one.channel: one for one in reversed(alert.deliveries)}
    ways = [
        f"{one.channel} {_REACHED[one.state]}" + (f" ({one.answer})" if one.state != "delivered" and one.answer else "")
        for one in latest.values()
    ]
    return f"{'silenced; ' if alert.silenced else ''}{', '.join(ways)}"


def _silence_words(silence: SilenceInfo) -> str:
    what = f"rule {silence.rule}, subject {silence.subject}, until {moment(silence.until_ms)}"
    why = f": {silence.reason}" if silence.reason else ""
    return f"{what}{why}" + (f" ({silence.who})" if silence.who else "")


def dead_lines(dead: Iterable[DeliveryInfo]) -> Iterator[Text]:
    """Three lines for each: which message, to whom and why not."""
    from rich.text import Text  # noqa: PLC0415 - the same

    for one in dead:
        yield Text(inert_line(one.id), "bold").append(inert_line(f"  {one.channel}: {one.title}"))
        yield Text(inert_line(f"  {one.answer}"), "red")
        yield Text(
            f"  made {one.made_at}, {plural(one.tries, 'try') if one.tries == 1 else f'{one.tries} tries'}", "dim"
        )

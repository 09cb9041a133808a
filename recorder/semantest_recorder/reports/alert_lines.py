"""Alerts, silences and dead letters as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from semantest_recorder.reports.alert_groups import MOST_GROUPED, AlertGroup, alert_groups
from semantest_recorder.reports.alert_overview import AlertInfo, AlertOverview, DeliveryInfo, SilenceInfo
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import moment, plural

if TYPE_CHECKING:
    from rich.text import Text

#: So many alerts that are over stand in the text, and of a group so many subjects.
_OVER: Final = 20
_NAMED: Final = 5
_REACHED: Final = {"delivered": "was told", "queued": "is to be told", "dead": "was not reached"}
_STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def overview_lines(found: AlertOverview) -> Iterator[Text]:
    """What fires, what is over, silences, and what could not be delivered."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    firing = [one for one in found.alerts if one.state == "firing"]
    over = [one for one in found.alerts if one.state == "resolved"]
    yield Text(f"{plural(len(firing), 'alert')} firing, {len(over)} over", "bold")
    for group in alert_groups([*firing[:MOST_GROUPED], *over[:_OVER]]):
        yield from _group_lines(group)
    if len(firing) > MOST_GROUPED:
        yield Text(f"... and {len(firing) - MOST_GROUPED} more that fire: --json has them", "dim")
    if len(over) > _OVER:
        yield Text(f"... and {len(over) - _OVER} more that are over: --json has them", "dim")
    for silence in found.silences:
        yield Text(inert_line(f"silence {silence.id}: {_silence_words(silence)}"), "dim")
    if found.queued:
        yield Text(f"waiting to be sent: {plural(found.queued, 'message')}, by the recorder while it runs")
    if found.dead:
        yield Text(f"{plural(len(found.dead), 'message')} could not be delivered: `semantest alerts dead`", "red")


def _group_lines(group: AlertGroup) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - the same

    alert = group.first
    is_firing = alert.state == "firing"
    line = Text(alert.severity.upper() if is_firing else "over", _STYLES[alert.severity] if is_firing else "green")
    yield line.append(inert_line(f"  {alert.rule}: {group.title}"), "bold")
    yield Text(inert_line(f"  {alert.summary}, since {moment(alert.since_ms)}"))
    for one in group.alerts[:_NAMED] if len(group.alerts) > 1 else ():
        yield Text(inert_line(f"    {one.subject}"))
    if len(group.alerts) > _NAMED:
        yield Text(f"    ... and {len(group.alerts) - _NAMED} more: --json has them", "dim")
    if alert.run:
        yield Text(inert_line(f"  semantest report {alert.run}"), "dim")
    yield Text(inert_line(f"  {_told_words(alert)}"), "dim")


def _told_words(alert: AlertInfo) -> str:
    if not alert.deliveries:  # a message names some alerts and counts the others, and is not kept for ever
        told = f"told {alert.told_at}" if alert.state == alert.told_state == "firing" else "nobody was told"
        return f"silenced, {told}" if alert.silenced else told
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

"""What people are told: the body of a webhook, and the words of every channel.

A message holds what the documentation lists and no more: names of rule, branch, run and test, one sentence on why, and
when. Of all that only the sentence may have come from a test, as the first line of its error.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from pytest_semantest.protocol.printable import printable_line
from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.settings import Rule

#: Changes with what the body means; fields may be added within one.
BODY_VERSION: Final = 1
#: So many alerts are told one by one in a message, and the rest is counted.
MOST_ALERTS: Final = 20
#: Words with which somebody in a chat could be called, or a link be hidden.
_CALLS = re.compile(r"@(?=\w)|<(?=[!@#/a-zA-Z])|\]\(")

_TITLES: Final = {
    "run-failed": ("Run failed on {branch}", "Runs failed on {branch}"),
    "new-failure": ("New failure on {branch}: {test}", "{number} new failures on {branch}"),
    "flaky": ("Flaky test: {test}", "{number} flaky tests"),
    "run-slower": ("Run on {branch} is slower than usual", "Runs on {branch} are slower than usual"),
    "hanging-test": ("Test hangs: {test}", "{number} tests hang"),
    "recorder-unhealthy": ("The recorder needs help: {subject}", "The recorder needs help"),
    "budget-exceeded": ("Run on {branch} is over its time budget", "Runs on {branch} are over their time budget"),
}
_SHORT_TEST = 80
#: Ids of tests hold their parameters, and may be of any length.
_LONGEST = 1000


class MessageAlert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alert. ``since_ms``: when it came into the state, ``since`` the same for people."""

    subject: str
    summary: str
    since: str
    since_ms: float
    test_id: str | None = None
    test_url: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one delivery says. ``kind``: ``alert``, or ``test`` for one that somebody asked for.

    ``state``: ``firing`` or ``resolved``; ``is_repeated``: it was told before, and still holds. ``text`` has all that
    follows as lines. ``more``: how many alerts are not in ``alerts``.
    """

    version: int = BODY_VERSION
    id: str
    kind: Literal["alert", "test"] = "alert"
    state: Literal["firing", "resolved"]
    is_repeated: bool = False
    rule: str
    rule_kind: str
    severity: str
    title: str
    text: str
    branch: str | None = None
    run_id: str | None = None
    run_url: str | None = None
    alerts: tuple[MessageAlert, ...] = ()
    more: int = 0
    made_ms: float


class Change(msgspec.Struct, frozen=True):
    """An alert that is to be told; ``is_repeated``: as it was told before."""

    alert: Alert
    is_repeated: bool


def grouped(changes: Iterable[Change]) -> list[list[Change]]:
    """What goes into one message each: alerts of one state, run and branch."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        alert = change.alert
        groups.setdefault((alert.state, change.is_repeated, alert.run_id, alert.branch), []).append(change)
    return list(groups.values())


def message_of(changes: Sequence[Change], rule: Rule, delivery_id: str, link: str, now_ms: float) -> Message:
    """The message about some alerts of one rule, state and run, at least one; ``link``: the recorder's address."""
    first = changes[0].alert
    alerts = tuple(_part(change.alert, link) for change in changes[:MOST_ALERTS])
    title = _title([change.alert for change in changes], is_repeated=changes[0].is_repeated)
    run_url = f"{link}/runs/{quote(first.run_id, safe='')}" if link and first.run_id else None
    more = len(changes) - len(alerts)
    return Message(
        id=delivery_id,
        state=first.state,
        is_repeated=changes[0].is_repeated,
        rule=rule.name,
        rule_kind=rule.kind,
        severity=rule.severity,
        title=title,
        text="\n".join(_lines(first, alerts, more, run_url, rule)),
        branch=_plain(first.branch),
        run_id=_plain(first.run_id),
        run_url=run_url,
        alerts=alerts,
        more=more,
        made_ms=now_ms,
    )


def trial_message(rule: str, kind: str, severity: str, delivery_id: str, link: str, now_ms: float) -> Message:
    """One that says that it is a test."""
    text = "Somebody asked for this message with `semantest alerts test`. Nothing happened."
    return Message(
        id=delivery_id,
        kind="test",
        state="firing",
        rule=rule,
        rule_kind=kind,
        severity=severity,
        title=f"[test] Semantest can reach you (rule {rule})",
        text="\n".join([text, *([f"Recorder: {link}"] if link else [])]),
        made_ms=now_ms,
    )


def _part(alert: Alert, link: str) -> MessageAlert:
    test_url = (
        f"{link}/test?id={quote(alert.test_id or '', safe='')}"
        if link and 0 < len(alert.test_id or "") <= _LONGEST
        else None
    )
    return MessageAlert(
        subject=harmless(alert.subject),
        summary=harmless(alert.summary),
        since=_moment(alert.since_ms),
        since_ms=alert.since_ms,
        test_id=_plain(alert.test_id),
        test_url=test_url,
    )


def _title(alerts: Sequence[Alert], *, is_repeated: bool) -> str:
    first = alerts[0]
    one, several = _TITLES[first.kind]
    test = harmless(first.test_id or "")
    words = (one if len(alerts) == 1 else several).format(
        branch=harmless(first.branch or "no branch"),
        test=test if len(test) <= _SHORT_TEST else f"...{test[-_SHORT_TEST:]}",
        subject=harmless(first.subject),
        number=len(alerts),
    )
    return f"Over: {words}" if first.state == "resolved" else f"Still: {words}" if is_repeated else words


def _lines(first: Alert, alerts: Sequence[MessageAlert], more: int, run_url: str | None, rule: Rule) -> Iterable[str]:
    for alert in alerts:
        yield f"{alert.subject}: {alert.summary} (since {alert.since})"
        if alert.test_url:
            yield f"  {alert.test_url}"
    if more:
        yield f"... and {more} more"
    if first.run_id:
        yield f"Run {harmless(first.run_id)}" + (f": {run_url}" if run_url else "")
        yield f"Look: semantest report {shlex.quote(harmless(first.run_id))}"
    if first.test_id and len(alerts) == 1 and harmless(first.test_id) == first.test_id:
        yield f"Look: semantest history {shlex.quote(first.test_id)}"
    yield f"Rule {rule.name} ({rule.kind}), {rule.severity}"


def harmless(text: str) -> str:
    """Text of a test on one line, not too long, in which nothing steers a terminal and nobody in a chat is called."""
    return _CALLS.sub(lambda found: f"{found[0][0]} {found[0][1:]}", printable_line(text[:_LONGEST]))


def _plain(text: str | None) -> str | None:
    return None if text is None else printable_line(text[:_LONGEST])


def _moment(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")

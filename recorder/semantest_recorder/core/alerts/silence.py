"""Times in which somebody does not want to be told."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from semantest_recorder.core.alerts.settings import matches


class Silence(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Alerts of rules and subjects that match these patterns are not told until ``until_ms`` (since the epoch)."""

    id: str
    rule: str
    subject: str
    until_ms: float
    reason: str
    who: str
    made_ms: float

    def covers(self, rule: str, subject: str, now_ms: float) -> bool:
        """Whether it holds now, for this alert."""
        return now_ms < self.until_ms and matches(self.rule, rule) and matches(self.subject, subject)


def silence_over(silences: Iterable[Silence], rule: str, subject: str, now_ms: float) -> Silence | None:
    """The silence that covers an alert for longest, or ``None``."""
    covering = [one for one in silences if one.covers(rule, subject, now_ms)]
    return max(covering, key=lambda one: one.until_ms, default=None)

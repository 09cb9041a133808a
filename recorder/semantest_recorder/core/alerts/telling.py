"""What people are to be told of a rule after it has looked: each change once (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from semantest_recorder.core.alerts.alert import Alert, Sighting, is_due, is_worth_telling, seen, told
from semantest_recorder.core.alerts.message import Change
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.silence import Silence, silence_over


class Looked(NamedTuple):
    """What a rule saw."""

    rule: Rule
    sightings: Sequence[Sighting]


def advance(
    alerts: Mapping[str, Alert], rule: Rule, sightings: Iterable[Sighting], silences: Iterable[Silence], now_ms: float
) -> tuple[dict[str, Alert], list[Change]]:
    """The alerts of a rule, by subject, after what it saw; and what is to be told of them."""
    found = dict(alerts)
    for sighting in sightings:
        alert = seen(found.get(sighting.subject), rule, sighting, now_ms)
        if alert is not None:
            found[sighting.subject] = alert
    changes = []
    for subject, alert in found.items():
        silenced = silence_over(silences, rule.name, subject, now_ms) is not None
        if is_due(alert, rule, now_ms, silenced=silenced):
            found[subject] = told(alert, now_ms)
            if is_worth_telling(alert, rule):
                changes.append(Change(alert, alert.told_state == alert.state))
    return found, changes

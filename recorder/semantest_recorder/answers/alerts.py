"""What fires, what is silenced, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semantest_recorder.core.alerts.alert import State
from semantest_recorder.reports.alert_overview import AlertOverview, alert_overview
from semantest_recorder.store.alert_facts import StoredAlerts, read_alerts


def stored_alerts(database: Path, now_ms: float) -> AlertOverview:
    """Alerts, silences and dead letters as they are at ``now_ms``. Raises what ``connect_read_only`` raises."""
    return _overview(read_alerts(database, now_ms), now_ms)


def first_alerts(
    database: Path, now_ms: float, state: State | None, most: int
) -> tuple[AlertOverview, Mapping[State, int]]:
    """The same with ``most`` alerts at most, of one state if it is named; and how many there are of each state."""
    found = read_alerts(database, now_ms, state=state, most=most)
    return _overview(found, now_ms), found.counts


def _overview(found: StoredAlerts, now_ms: float) -> AlertOverview:
    return alert_overview(found.alerts, found.silences, found.deliveries, found.dead, now_ms)

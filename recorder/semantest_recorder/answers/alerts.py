"""What fires, what is silenced, and what could not be told."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.reports.alert_overview import AlertOverview, alert_overview
from semantest_recorder.store.alert_facts import read_alerts


def stored_alerts(database: Path, now_ms: float) -> AlertOverview:
    """Alerts, silences and dead letters as they are at ``now_ms``. Raises what ``connect_read_only`` raises."""
    found = read_alerts(database, now_ms)
    return alert_overview(found.alerts, found.silences, found.deliveries, found.dead, now_ms)

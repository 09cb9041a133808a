"""Alerts that reached nobody: a silent channel looks like a green suite."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.health.check import Check
from semantest_recorder.reports.wording import plural
from semantest_recorder.store.alert_facts import read_alerts
from semantest_recorder.store.errors import StoreError


def untold_alerts(database: Path) -> list[Check]:
    """One check when there are dead letters; none without a database that can be read, of which others tell."""
    try:
        dead = read_alerts(database, 0.0, deliveries=0, most=0).dead
    except StoreError:
        return []
    if not dead:
        return []
    detail = (
        f"{plural(len(dead), 'message')} could not be delivered, the last one to {dead[0].channel}: {dead[0].answer}"
    )
    see, again = (command_line(words, database.parent) for words in ("alerts dead", "alerts retry --all"))
    advice = f"`{see}` shows them; when its channel can be used, `{again}` sends them."
    return [Check("alerts", "warn", detail, advice, {"dead": len(dead)})]

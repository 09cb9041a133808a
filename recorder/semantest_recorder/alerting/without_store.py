"""What the recorder tells of itself while its store takes nothing: past the outbox, kept in memory until it does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from semantest_recorder.core.alerts.alert import Alert
from semantest_recorder.core.alerts.message import Change, grouped, message_of
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.alerts.telling import Looked, advance
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channels import Channels
from semantest_recorder.store.alert_facts import AlertFacts
from semantest_recorder.store.alerts import new_delivery_id
from semantest_recorder.store.errors import StoreError


class WithoutStore:
    """Alerts of the recorder itself. What reaches no channel is tried again with the next look."""

    def __init__(self, path: Path, channels: Channels, link: str, threads: DaemonThreads) -> None:
        self._threads = threads
        self._path = path
        self._channels = channels
        self._link = link
        self._alerts: dict[str, dict[str, Alert]] = {}

    @property
    def alerts(self) -> list[Alert]:
        """What the store does not know yet."""
        return [alert for alerts in self._alerts.values() for alert in alerts.values()]

    def clear(self) -> None:
        """The store knows all of it."""
        self._alerts.clear()

    async def tell(self, looked: Iterable[Looked], now_ms: float) -> None:
        """Sends what is new in what rules saw."""
        for rule, sightings in looked:
            loop = asyncio.get_running_loop()
            stored, silences = await loop.run_in_executor(self._threads, self._stored, rule, now_ms)
            before = self._alerts.get(rule.name, stored)
            after, changes = advance(before, rule, sightings, silences, now_ms)
            for group in grouped(changes):
                if not await self._send(rule, group, now_ms):
                    after |= {change.alert.subject: change.alert for change in group}
            self._alerts[rule.name] = after

    def _stored(self, rule: Rule, now_ms: float) -> tuple[dict[str, Alert], list[Silence]]:
        """What the database says, which can often be read even now."""
        try:
            with closing(AlertFacts(self._path)) as facts:
                return {alert.subject: alert for alert in facts.alerts(rule)}, facts.silences(now_ms)
        except StoreError:
            return {}, []

    async def _send(self, rule: Rule, group: list[Change], now_ms: float) -> bool:
        """Whether somebody was reached."""
        message = message_of(group, rule, new_delivery_id(), self._link, now_ms)
        body = msgspec.json.encode(message)
        answers = await asyncio.gather(*(self._channels.send(name, message.id, body) for name in rule.channels))
        return any(answer.is_delivered for answer in answers)

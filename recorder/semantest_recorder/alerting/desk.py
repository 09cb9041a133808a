"""What people ask for of alerts, for routes and commands alike."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import msgspec

from semantest_recorder.alerting.writing import written
from semantest_recorder.core.alerts.actions import (
    Action,
    Done,
    DropDead,
    EndSilence,
    MakeSilence,
    RetryDead,
    Trial,
    TrialAnswer,
)
from semantest_recorder.core.alerts.message import trial_message
from semantest_recorder.core.alerts.settings import AlertSettings
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.notify.channels import Channels
from semantest_recorder.store.alerts import (
    add_silence,
    drop_dead,
    end_silence,
    new_delivery_id,
    retry_dead,
    silences_in,
)
from semantest_recorder.store.writer import Writer

Change = MakeSilence | EndSilence | RetryDead | DropDead


#: What is silenced for longer is forgotten, and should be no rule; so many silences can hold at once.
_LONGEST_MS: Final = 366 * 86_400_000.0
MOST_SILENCES: Final = 1000


def refuse_action(action: Change, now_ms: float) -> None:
    """Raises ``Refusal`` for what makes no sense."""
    if not isinstance(action, MakeSilence):
        return
    if not now_ms < action.until_ms:
        raise Refusal("INVALID_REQUEST", "the silence would be over already: give a time in the future")
    if action.until_ms > now_ms + _LONGEST_MS:
        raise Refusal("INVALID_REQUEST", "a silence lasts a year at most (untilMs: milliseconds since 1970)")


def refuse_done(action: Change, done: Done) -> None:
    """Raises ``Refusal`` for what there was no room for."""
    if isinstance(action, MakeSilence) and not done.count:
        words = f"{MOST_SILENCES} silences hold already: end some, or silence with a pattern for many"
        raise Refusal("INVALID_REQUEST", words)


def change_stored(connection: sqlite3.Connection, action: Change, now_ms: float) -> Done:
    """Does what is about the database alone, within a transaction of the caller.

    ``count`` 0: it was not there, or (a silence) there is no room.
    """
    if isinstance(action, MakeSilence):
        if len(silences_in(connection, now_ms)) >= MOST_SILENCES:
            return Done()
        made = Silence(id=uuid4().hex[:8], made_ms=now_ms, **msgspec.structs.asdict(action))
        add_silence(connection, made)
        return Done(count=1, id=made.id)
    if isinstance(action, EndSilence):
        return Done(count=int(end_silence(connection, action.id)), id=action.id)
    if isinstance(action, RetryDead):
        return Done(count=retry_dead(connection, action.ids, now_ms))
    return Done(count=drop_dead(connection, action.ids))


async def try_channels(settings: AlertSettings, channels: Channels, name: str, link: str, now_ms: float) -> Done:
    """Sends a test to a rule's channels, to one channel or (no name) to all, and tells the answers.

    Raises ``Refusal`` for a name of neither.
    """
    rule = next((one for one in settings.rules if one.name == name), None)
    known = [channel.name for channel in settings.channels]
    if rule is None and name and name not in known:
        rules = ", ".join(one.name for one in settings.rules) or "none"
        raise Refusal(
            "INVALID_REQUEST", f"{name!r} is no rule and no channel; rules: {rules}; channels: {', '.join(known)}"
        )
    wanted = rule.channels if rule is not None else [name] if name else known

    async def send(channel: str) -> TrialAnswer:
        told = (rule.name, rule.kind, rule.severity) if rule is not None else ("test", "test", "info")
        message = trial_message(*told, new_delivery_id(), settings.link or link, now_ms)
        answer = await channels.send(channel, message.id, msgspec.json.encode(message))
        return TrialAnswer(channel=channel, delivered=answer.is_delivered, answer=answer.text)

    answers = await asyncio.gather(*(send(channel) for channel in wanted))
    return Done(count=sum(answer.delivered for answer in answers), answers=answers)


class AlertDesk:
    """Does what is asked of a recorder that runs; ``wake`` is called when there may be something to send."""

    def __init__(
        self,
        writer: Writer,
        settings: AlertSettings,
        channels: Channels,
        link: str,
        clock: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._settings = settings
        self._channels = channels
        self._link = link
        self._clock = clock
        self._wake = wake

    async def act(self, action: Action) -> Done:
        """Done when it returns. Raises ``Refusal`` for what makes no sense and what cannot be stored."""
        if isinstance(action, Trial):
            return await try_channels(self._settings, self._channels, action.name, self._link, self._clock())
        now_ms = self._clock()
        refuse_action(action, now_ms)
        try:
            done = await written(self._writer, lambda connection: change_stored(connection, action, now_ms))
        except RuntimeError as error:
            raise Refusal("STORE_ERROR", str(error)) from None
        refuse_done(action, done)
        self._wake()
        return done

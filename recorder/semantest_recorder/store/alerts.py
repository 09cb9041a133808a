"""Alerts, silences and the outbox of deliveries: what is written, each function within a transaction of its caller.

A decision to tell something and its deliveries are written together: a recorder that is killed has both or neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import uuid4

import msgspec

from semantest_recorder.core.alerts.alert import Alert, Sighting, State
from semantest_recorder.core.alerts.delivery import MOST_DEAD, MOST_DELIVERED, MOST_QUEUED, Delivery
from semantest_recorder.core.alerts.judging import JudgedRun
from semantest_recorder.core.alerts.message import Change, Message, grouped, message_of
from semantest_recorder.core.alerts.settings import AlertSettings, Rule
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.alerts.telling import Looked, advance
from semantest_recorder.store.queries import statements

_SQL = statements("alerts.sql")
#: Runs that were over for longer are not judged, and which ones were judged is kept a little longer.
JUDGED_WITHIN_MS: Final = 86_400_000.0
#: So many alerts are kept, those that were seen last.
MOST_ALERTS: Final = 20_000
_JUDGED_KEPT_MS: Final = 3 * JUDGED_WITHIN_MS


class AlertPlace(NamedTuple):
    """Where an alert stands in a list: ``rank`` is 0 to 2 for what fires, the worst first, and 3 for what is over."""

    rank: int
    since_ms: float
    rule: str
    subject: str


def begin(connection: sqlite3.Connection, settings: AlertSettings, now_ms: float) -> None:
    """What came and was over before now_ms of the first call is nobody's news; rules that are gone are forgotten."""
    connection.execute(_SQL["begin"], (now_ms,))
    connection.execute(_SQL["forget_alerts"], (-1.0, _list(rule.name for rule in settings.rules)))


def tell(connection: sqlite3.Connection, looked: Iterable[Looked], link: str, now_ms: float) -> int:
    """Takes what rules saw, and writes deliveries for what people are to be told; how many.

    Each rule that is looked at is also asked for what is to be told again, and for what a silence held back.
    """
    silences = silences_in(connection, now_ms)
    made = 0
    for rule, sightings in looked:
        changes = _changes(connection, rule, sightings, silences, now_ms)
        for group in grouped(changes):
            for channel in rule.channels:
                message = message_of(group, rule, new_delivery_id(), link, now_ms)
                enqueue(connection, channel, message, now_ms)
                made += 1
    return made


def _changes(
    connection: sqlite3.Connection,
    rule: Rule,
    sightings: Sequence[Sighting],
    silences: Iterable[Silence],
    now_ms: float,
) -> list[Change]:
    """What is to be told of a rule; the alerts are stored as told."""
    subjects = _list(one.subject for one in sightings)
    known = map(_alert, connection.execute(_SQL["alerts_to_tell"], (rule.name, subjects)))
    before = {alert.subject: alert for alert in known}
    after, changes = advance(before, rule, sightings, silences, now_ms)
    connection.executemany(
        _SQL["put_alert"],
        (msgspec.structs.astuple(alert) for subject, alert in after.items() if before.get(subject) != alert),
    )
    return changes


def enqueue(connection: sqlite3.Connection, channel: str, message: Message, now_ms: float) -> None:
    """Puts a message into the outbox; where too many wait for its channel it is a dead letter at once."""
    (waiting,) = connection.execute(_SQL["count_queued"], (channel,)).fetchone()
    is_full = waiting >= MOST_QUEUED
    end = (now_ms, f"{waiting} messages waited for this channel already") if is_full else (None, "")
    body = msgspec.json.encode(message).decode()
    state = "dead" if is_full else "queued"
    connection.execute(_SQL["add_delivery"], (message.id, channel, message.rule, state, body, now_ms, *end))


def new_delivery_id() -> str:
    """An id by which a receiver knows a message that comes twice."""
    return f"msg_{uuid4().hex}"


def keep_alerts(connection: sqlite3.Connection, alerts: Iterable[Alert]) -> None:
    """Stores alerts as they are."""
    connection.executemany(_SQL["put_alert"], map(msgspec.structs.astuple, alerts))


def note_judged(connection: sqlite3.Connection, runs: Iterable[JudgedRun], now_ms: float) -> None:
    """These runs need not be judged again as long as they stay as they are."""
    connection.executemany(_SQL["judged"], ((run.id, run.state, run.branch, now_ms) for run in runs))


def note_tried(connection: sqlite3.Connection, deliveries: Iterable[Delivery]) -> None:
    """Stores what came of tries."""
    connection.executemany(
        _SQL["tried"], ((one.id, one.state, one.tries, one.next_ms, one.ended_ms, one.answer) for one in deliveries)
    )


def forget(connection: sqlite3.Connection, settings: AlertSettings, now_ms: float) -> None:
    """Deletes what is kept no longer: all of it is bounded."""
    before_ms = now_ms - settings.keep_ms
    connection.execute(_SQL["forget_alerts"], (before_ms, _list(rule.name for rule in settings.rules)))
    connection.execute(_SQL["forget_most_alerts"], (MOST_ALERTS,))
    connection.execute(_SQL["forget_silences"], (now_ms,))
    connection.execute(_SQL["forget_deliveries"], (before_ms, MOST_DEAD, MOST_DELIVERED))
    connection.execute(_SQL["forget_judged"], (now_ms - _JUDGED_KEPT_MS,))


# -- what people ask for ---------------------------------------------------------------------------------------------


def add_silence(connection: sqlite3.Connection, silence: Silence) -> None:
    """Alerts that it covers are not told until it ends."""
    connection.execute(_SQL["put_silence"], msgspec.structs.astuple(silence))


def end_silence(connection: sqlite3.Connection, silence_id: str) -> bool:
    """Whether there was one of this id."""
    return connection.execute(_SQL["end_silence"], (silence_id,)).rowcount > 0


def retry_dead(connection: sqlite3.Connection, ids: Sequence[str] | None, now_ms: float) -> int:
    """Sends dead letters again, all of them without ids; how many. They keep their ids."""
    return connection.execute(_SQL["retry"], (None if ids is None else _list(ids), now_ms)).rowcount


def drop_dead(connection: sqlite3.Connection, ids: Sequence[str] | None) -> int:
    """Deletes dead letters, all of them without ids; how many."""
    return connection.execute(_SQL["drop"], (None if ids is None else _list(ids),)).rowcount


# -- what is read ----------------------------------------------------------------------------------------------------


def silences_in(connection: sqlite3.Connection, now_ms: float) -> list[Silence]:
    """Those that hold now."""
    return [_silence(row) for row in connection.execute(_SQL["silences"], (now_ms,))]


def alerts_of(connection: sqlite3.Connection, rule: Rule) -> list[Alert]:
    """What fires of a rule or was told to fire last."""
    return [_alert(row) for row in connection.execute(_SQL["alerts_of_rule"], (rule.name,))]


def listed_alerts(
    connection: sqlite3.Connection, state: State | None = None, most: int = MOST_ALERTS, after: AlertPlace | None = None
) -> list[tuple[Alert, AlertPlace]]:
    """Alerts and their places, in this state if one is named: ``most`` at most, behind ``after``.

    Those that fire come first, of these the worst; of each the newest.
    """
    behind = (None,) * 4 if after is None else after
    rows = connection.execute(_SQL["all_alerts"], (state, most, *behind))
    found = ((_alert(row), rank) for *row, rank in rows)
    return [(alert, AlertPlace(rank, alert.since_ms, alert.rule, alert.subject)) for alert, rank in found]


def of_moment(connection: sqlite3.Connection, since_ms: float) -> list[tuple[str, str]]:
    """Rules and subjects of the alerts that came into their state at this very moment."""
    return connection.execute(_SQL["of_moment"], (since_ms,)).fetchall()


def alerts_in(connection: sqlite3.Connection, state: State | None = None, most: int = MOST_ALERTS) -> list[Alert]:
    """As ``listed_alerts``, without places."""
    return [alert for alert, _place in listed_alerts(connection, state, most)]


def count_alerts(connection: sqlite3.Connection) -> dict[State, int]:
    """How many there are, by state."""
    return dict(connection.execute(_SQL["count_alerts"]).fetchall())


def count_queued(connection: sqlite3.Connection) -> int:
    """How many deliveries wait for their next try."""
    (number,) = connection.execute(_SQL["count_all_queued"]).fetchone()
    return int(number)


def deliveries_in(connection: sqlite3.Connection, query: str, *parameters: object) -> list[Delivery]:
    """Those of a query: ``queued``, ``waiting`` (the same without bodies), ``dead``, ``recent`` (with how many)."""
    rows = connection.execute(_SQL[query], parameters).fetchall()
    return [Delivery(**dict(zip(Delivery.__struct_fields__, row, strict=True))) for row in rows]


def body_of(connection: sqlite3.Connection, delivery_id: str) -> bytes | None:
    """What a delivery says, ``None`` when it is gone."""
    row = connection.execute(_SQL["body"], (delivery_id,)).fetchone()
    return None if row is None else bytes(row[0])


def _alert(row: Sequence[object]) -> Alert:
    return Alert(**dict(zip(Alert.__struct_fields__, row, strict=True)))  # type: ignore[arg-type]


def _silence(row: Sequence[object]) -> Silence:
    return Silence(**dict(zip(Silence.__struct_fields__, row, strict=True)))  # type: ignore[arg-type]


def _list(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()

"""What fires, what is silenced, and what could not be told."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from semantest_recorder.answers.cursor import NoCursor, opened, sealed
from semantest_recorder.answers.page_size import that_fit
from semantest_recorder.core.alerts.alert import State
from semantest_recorder.reports.alert_overview import AlertOverview, alert_overview
from semantest_recorder.store.alert_facts import StoredAlerts, read_alerts
from semantest_recorder.store.alerts import MOST_ALERTS, AlertPlace, of_moment

#: A cursor goes into an address, and subjects may be long: of rule and subject it holds the beginnings.
_TEXT_MAX: Final = 100
_LAST_RANK: Final = 3


class _CursorPlace(NamedTuple):
    """A place in a cursor. ``tie``: a digest of rule and subject, by which they are found whole again."""

    rank: int
    since_ms: float
    rule: str
    subject: str
    tie: int


def stored_alerts(database: Path, now_ms: float) -> AlertOverview:
    """Alerts, silences and dead letters as they are at ``now_ms``. Raises what ``connect_read_only`` raises."""
    return _overview(read_alerts(database, now_ms), now_ms)


def first_alerts(
    database: Path, now_ms: float, state: State | None, most: int
) -> tuple[AlertOverview, Mapping[State, int]]:
    """The same with ``most`` alerts at most, of one state if it is named; and how many there are of each state."""
    found = read_alerts(database, now_ms, state=state, most=most)
    return _overview(found, now_ms), found.counts


def alert_page(
    database: Path, now_ms: float, state: State | None, cursor: str | None = None, limit: int | None = None
) -> AlertOverview:
    """The same with ``limit`` alerts at most, all unless given, behind ``cursor``.

    Raises ``InvalidCursor`` and what ``connect_read_only`` raises.
    """
    question = "alerts", state
    told = None if cursor is None else opened(cursor, _CursorPlace, *question)
    if told is not None and not 0 <= told.rank <= _LAST_RANK:
        raise NoCursor
    most = MOST_ALERTS if limit is None else limit + 1
    found = read_alerts(database, now_ms, state=state, most=most, after=lambda connection: _whole(connection, told))
    overview = _overview(found, now_ms)
    if limit is None:
        return overview
    shown = that_fit(overview.alerts[:limit])
    following = sealed(_in_cursor(found.listed[shown - 1][1]), *question) if shown < len(found.listed) else None
    return msgspec.structs.replace(overview, alerts=overview.alerts[:shown], next=following)


def _in_cursor(place: AlertPlace) -> _CursorPlace:
    rule, subject = place.rule[:_TEXT_MAX], place.subject[:_TEXT_MAX]
    return _CursorPlace(place.rank, place.since_ms, rule, subject, _tie(place.rule, place.subject))


def _whole(connection: sqlite3.Connection, told: _CursorPlace | None) -> AlertPlace | None:
    """The place by its whole texts. Of an alert that changed meanwhile they stay beginnings: nothing is left out."""
    if told is None:
        return None
    rule, subject = told.rule, told.subject
    if _TEXT_MAX in (len(rule), len(subject)):
        own = (names for names in of_moment(connection, told.since_ms) if _tie(*names) == told.tie)
        rule, subject = next(own, (rule, subject))
    return AlertPlace(told.rank, told.since_ms, rule, subject)


def _tie(rule: str, subject: str) -> int:
    return int.from_bytes(blake2b(f"{rule}\0{subject}".encode(), digest_size=6).digest())


def _overview(found: StoredAlerts, now_ms: float) -> AlertOverview:
    return alert_overview(found.alerts, found.silences, found.deliveries, found.dead, found.queued, now_ms)

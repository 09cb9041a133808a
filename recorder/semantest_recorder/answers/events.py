"""Events of a run as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.cursor import cursor_of, place_of
from semantest_recorder.core.subscription import Subscription
from semantest_recorder.reports.event_list import EventPage, event_info
from semantest_recorder.store.event_list import listed_events
from semantest_recorder.store.reader import Reader


def event_page(
    database: Path, run: str, types: Sequence[str] = (), cursor: str | None = None, limit: int = 100
) -> EventPage:
    """At most ``limit`` events of a run behind ``cursor``; ``types`` are exact or patterns such as ``test/*``.

    Raises ``InvalidPattern``, ``InvalidCursor`` and what ``Reader`` raises.
    """
    wanted = Subscription()
    wanted.add(types or ("*",))
    run_id = Reader(database).run(run).id
    question = ("events", run_id, tuple(types))
    after = place_of(cursor, *question)
    with snapshot(database) as connection:
        found = listed_events(connection, run_id, wanted.matches, after, limit)
    return EventPage(
        run=run_id,
        events=[event_info(one.source, one.seq, one.type, one.time_ms, one.payload) for one in found.events],
        next=cursor_of(found.last, *question) if found.last is not None else None,
    )

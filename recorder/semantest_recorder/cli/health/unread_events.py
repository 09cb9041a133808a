"""Events that the recorder has and could not read: what they said is in no report."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.health.check import Check
from semantest_recorder.reports.wording import plural
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.read_only import connect_read_only

_SQL = """
SELECT r.id, s.source || ':' || q.seq || ' (' || ifnull(e.type, '?') || '): ' || q.reason
FROM quarantine q JOIN sources s USING (source_key) JOIN runs r USING (run_key)
LEFT JOIN events e USING (source_key, seq)
ORDER BY q.source_key DESC, q.seq DESC
"""
_REASON = 200


def unread_events(database: Path) -> list[Check]:
    """One check when there are such events; none without a database that can be read, of which others tell."""
    try:
        with closing(connect_read_only(database)) as connection:
            found = connection.execute(_SQL).fetchall()
    except (StoreError, sqlite3.Error):
        return []
    if not found:
        return []
    runs = {run for run, _what in found}
    what = f"{plural(len(found), 'event')} of {plural(len(runs), 'run')} could not be read in full"
    rebuild = command_line("rebuild", database.parent)
    advice = (
        f"They are kept; `{rebuild}` tries them again, after an upgrade say. A run in which one could not be read at "
        "all is not green. Mend the client that sent them; if that is pytest, please report it."
    )
    data = {"events": len(found), "runs": sorted(runs)}
    return [Check("unread events", "warn", f"{what}, the last one {found[0][1][:_REASON]}", advice, data)]

"""How much a recorder has recorded: its public shape."""

from __future__ import annotations

import msgspec

from semantest_recorder.reports.report import REPORT_SCHEMA, Counts


class Statistics(msgspec.Struct, kw_only=True, rename="camel"):
    """Totals over all runs. ``states``: how many runs are in each; ``counts``: results of all runs by state.

    ``databaseBytes``: what the database takes on disk, its log included.
    """

    schema: int = REPORT_SCHEMA
    runs: int
    states: dict[str, int]
    tests: int
    suites: int
    events: int
    counts: Counts
    database_bytes: int

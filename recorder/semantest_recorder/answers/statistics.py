"""How much was recorded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from semantest_recorder.answers.connection import snapshot
from semantest_recorder.answers.run_counts import KeptCounts
from semantest_recorder.reports.aggregate import counts_of
from semantest_recorder.reports.statistics import Statistics
from semantest_recorder.store.disk_use import bytes_on_disk
from semantest_recorder.store.volume import read_volume


def statistics(database: Path, kept: KeptCounts) -> Statistics:
    """Totals over all runs. Raises what ``connect_read_only`` raises."""
    with snapshot(database) as connection:
        volume = read_volume(connection)
        numbers = kept.numbers(connection, list(volume.runs))
    results = Counter[str]()
    for counted in numbers.values():
        results.update(counted)
    return Statistics(
        runs=len(volume.runs),
        states=dict(Counter(volume.runs.values()).most_common()),
        tests=volume.tests,
        suites=volume.suites,
        events=volume.events,
        counts=counts_of(results, closed=False),
        database_bytes=bytes_on_disk(database),
    )

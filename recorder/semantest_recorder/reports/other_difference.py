"""The public shape of what else differs between two runs that are compared."""

from __future__ import annotations

from semantest_recorder.core.analysis.surroundings import differences_between
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.report import Public


class OtherDifference(Public):
    """What else is another in the later run. ``kind``: fact, label or package; null: it is not there."""

    kind: str
    name: str
    before: str | None
    after: str | None


def other_differences(before: RunRow, after: RunRow) -> list[OtherDifference]:
    """What of the surroundings of two runs is not alike."""
    found = differences_between(before, after)
    return [OtherDifference(one.kind, one.name, one.before, one.after) for one in found]

"""A collected test as the policies see it, and what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from statistics import median, median_low
from typing import NamedTuple

from pytest_semantest.protocol.snapshot import FAILED, FLAKY, PASSED
from pytest_semantest.selection.snapshot import Known, Snapshot

#: What pytest itself takes for a test beside its phases (docs/design/plugin.md), in milliseconds.
OVERHEAD_MS = 0.5


class Collected(NamedTuple):
    """A collected test. ``file``: the first part of its id.

    ``shares``: what fixtures that it uses live as long as: its class, module, package. ``variant``: its values of
    parameters that have session scope.
    ``fingerprint``: that of its function, empty when it has none or nobody needs it.
    """

    id: str
    file: str
    shares: tuple[Hashable, ...] = ()
    variant: tuple[Hashable, ...] = ()
    fingerprint: str = ""


class Candidate(NamedTuple):
    """A collected test with its history. ``own_ms``: what running it adds once the fixtures of its file are there."""

    test: Collected
    known: Known | None
    own_ms: float

    @property
    def is_new(self) -> bool:
        """Whether no earlier run tells of it."""
        return self.known is None

    @property
    def never_passed(self) -> bool:
        """Whether it passed in no earlier run, be it on a retry."""
        return self.known is None or not {PASSED, FLAKY}.intersection(self.known.verdicts)

    @property
    def is_changed(self) -> bool:
        """Whether its own code is another than in the last run that told its fingerprint."""
        then, now = self.known.fingerprint if self.known is not None else None, self.test.fingerprint
        return bool(then and now and then != now)

    @property
    def failed_last(self) -> bool:
        """Whether its last verdict was a failure."""
        return self.known is not None and self.known.verdicts.startswith(FAILED)


class Suite(NamedTuple):
    """The candidates, and by file what its shared fixtures take: once in each process that runs tests of it."""

    candidates: list[Candidate]
    shared_ms: dict[str, float]


def with_history(collected: Sequence[Collected], snapshot: Snapshot | None) -> Suite:
    """The tests with what the snapshot knows of them.

    Shared fixtures are set up and torn down with one test of the file, mostly the first: what setup and teardown of
    one test take beyond the median of the file is the file's, not the test's. A test that is not known takes the
    median of its file, else of all tests, else 1 ms.
    """
    known = snapshot.tests if snapshot is not None else {}
    files: dict[str, list[Known]] = {}
    for test in collected:
        found = known.get(test.id)
        if found is not None:
            files.setdefault(test.file, []).append(found)
    usual = {file: _usual_fixtures(rows) for file, rows in files.items()}
    own = {file: [_own(row, usual[file]) for row in rows] for file, rows in files.items()}
    anywhere = median([time for times in own.values() for time in times] or [1.0])
    typical = {file: median(times) for file, times in own.items()}
    candidates = []
    for test in collected:
        row = known.get(test.id)
        time = typical.get(test.file, anywhere) if row is None else _own(row, usual[test.file])
        candidates.append(Candidate(test, row, OVERHEAD_MS + time))
    return Suite(candidates, {file: max(_beyond(row, usual[file]) for row in rows) for file, rows in files.items()})


def _usual_fixtures(rows: Sequence[Known]) -> float:
    return median_low([row.fixtures_ms for row in rows if row.fixtures_ms is not None] or [0.0])


def _own(row: Known, usual: float) -> float:
    return max(row.duration_ms - _beyond(row, usual), 0.0)


def _beyond(row: Known, usual: float) -> float:
    return max((row.fixtures_ms or 0.0) - usual, 0.0)

"""Which tests history says belong into quarantine: flaky ones, and no others (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from pytest_semantest.protocol.quarantine import Entry, Matcher

#: A test that failed in so many runs at the end fails, whatever it did before: quarantine would hide that.
FAILING_RUNS: Final = 3
_FAILED: Final = frozenset({"failed", "error", "timeout", "crashed"})


class Candidate(NamedTuple):
    """A test that was flaky in ``flaky_runs`` of ``runs``; ``latest`` are its states in the last runs, newest first."""

    test_id: str
    flaky_runs: int
    runs: int
    latest: tuple[str, ...]


class Suggestion(NamedTuple):
    """An entry for a test, and what speaks for it."""

    entry: Entry
    flaky_runs: int
    runs: int


def suggestions(
    candidates: Iterable[Candidate], entries: Iterable[Entry], *, fewest: int, owner: str, today: date, expires: date
) -> list[Suggestion]:
    """The tests that flake most first, without those that have an entry or fail again and again.

    ``fewest``: in how many runs a test has to have been flaky, at least. Each entry ends on ``expires``.
    """
    matcher = Matcher(entries)
    found = [
        one
        for one in candidates
        if one.flaky_runs >= max(fewest, 1) and matcher.find(one.test_id) is None and not _is_failing(one.latest)
    ]
    found.sort(key=lambda one: (-one.flaky_runs / one.runs, -one.flaky_runs, one.test_id))
    return [
        Suggestion(
            Entry(one.test_id, _reason(one), owner, expires, added=today), flaky_runs=one.flaky_runs, runs=one.runs
        )
        for one in found
    ]


def _reason(one: Candidate) -> str:
    return f"flaky in {one.flaky_runs} of its last {one.runs} runs"


def _is_failing(latest: tuple[str, ...]) -> bool:
    return len(latest) >= FAILING_RUNS and all(state in _FAILED for state in latest[:FAILING_RUNS])

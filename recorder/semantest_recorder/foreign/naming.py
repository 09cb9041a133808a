"""Which id a test of a foreign file gets: one that the history knows, and in one run each only once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from pytest_semantest.protocol.identity import distinct_ids, suite_of
from semantest_recorder.foreign.run import ForeignTest

#: Longer ids than this are cut: no tool shows them.
ID_MAX = 1000


def uncertain(tests: Iterable[ForeignTest]) -> list[str]:
    """The ids among which the history has to choose."""
    return [test_id for test in tests if len(test.ids) > 1 for test_id in test.ids]


def settle_ids(
    tests: Sequence[ForeignTest],
    known_ids: Collection[str],
    known_suites: Collection[str],
    name: Callable[[str], str] = str,
) -> None:
    """Gives each test its one id.

    The likeliest that the history knows, else the likeliest of a suite (file or class) that it knows, else the
    likeliest. ``name`` gives an id as it may be stored. A second test of the same id gets ``#2``, as pytest's own
    duplicates do: two that differ in a secret alone stay two.
    """
    chosen = [name(_chosen(test.ids, known_ids, known_suites))[:ID_MAX] or "unnamed" for test in tests]
    for test, test_id in zip(tests, distinct_ids(chosen), strict=True):
        test.ids = (test_id,)


def _chosen(ids: tuple[str, ...], known_ids: Collection[str], known_suites: Collection[str]) -> str:
    found = next((test_id for test_id in ids if test_id in known_ids), None) if known_ids else None
    if found is None and known_suites and len(ids) > 1:
        found = next((test_id for test_id in ids if suite_of(test_id) in known_suites), None)
    return found or ids[0]

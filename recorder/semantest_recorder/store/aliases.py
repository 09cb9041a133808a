"""Names that tests had before: what the recorder finds when a run has closed, and what users say.

Only runs of one branch and one pull request, or none, that were started with the same arguments and went through all of
their tests are compared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from semantest_recorder.core.analysis.identity import function_of
from semantest_recorder.core.analysis.renames import Rename, find_renames, functions_of
from semantest_recorder.core.analysis.selection import why_unsure
from semantest_recorder.store.analysis_runs import read_run_facts
from semantest_recorder.store.identity import aliases_in
from semantest_recorder.store.ingest import Ingest, Removed
from semantest_recorder.store.queries import statements

_SQL = statements("aliases.sql")
#: Two names that were in one of so many runs before are two tests.
_RUNS_BEFORE = 20
#: What is less sure is shown by `semantest diff` only.
_KEPT_CONFIDENCE = 0.75


def say_alias(ingest: Ingest, old: str, new: str, state: str, now_ms: float) -> None:
    """A user says that ``old`` is an earlier name of ``new`` (``added``) or that it is not (``removed``).

    Raises ``sqlite3.Error``.
    """

    def work(connection: sqlite3.Connection) -> Removed:
        connection.execute(_SQL["say"], (old, new, state, now_ms))
        return Removed()

    ingest.between(work)


def detect_aliases(ingest: Ingest, run_id: str) -> None:
    """Compares a run with the one before it, unless it is not over or not whole. May be repeated.

    A detected alias of which this run has both names is taken back. Raises ``sqlite3.Error``.
    """

    def work(connection: sqlite3.Connection) -> Removed:
        row = connection.execute(_SQL["run"], (run_id,)).fetchone()
        if row is not None:
            _take_back(connection, row[0])
            _detect(connection, run_id, *row)
        return Removed()

    ingest.between(work)


def _take_back(connection: sqlite3.Connection, run_key: int) -> None:
    pairs = [(alias.old, alias.new) for alias in aliases_in(connection) if alias.state == "detected"]
    for number in _together(connection, pairs, run_key):
        connection.execute(_SQL["withdraw"], pairs[number])


def _detect(connection: sqlite3.Connection, run_id: str, run_key: int, since_ms: float) -> None:
    before = connection.execute(_SQL["run_before"], (run_key,)).fetchone()
    if before is None or _left_tests_out(connection, run_key, before[0]):
        return
    gone = _other_tests(connection, before[0], run_key)
    new = _other_tests(connection, run_key, before[0]) if gone else []
    if not new:
        return
    was, now = (functions_of(connection.execute(_SQL["tests"], (key,))) for key in (before[0], run_key))
    found = find_renames(was, now, _functions(connection, gone), _functions(connection, new))
    for rename in _never_together(connection, found, since_ms):
        if rename.confidence >= _KEPT_CONFIDENCE:
            row = (rename.old, rename.new, since_ms, rename.evidence, rename.confidence, run_id)
            connection.execute(_SQL["detect"], row)


def _never_together(connection: sqlite3.Connection, found: list[Rename], since_ms: float) -> list[Rename]:
    """Those whose names no run of late has both: they would be two tests."""
    pairs, together = [(rename.old, rename.new) for rename in found], set[int]()
    for (run_key,) in connection.execute(_SQL["runs_before"], (since_ms, _RUNS_BEFORE)).fetchall():
        together |= _together(connection, pairs, run_key)
    return [rename for number, rename in enumerate(found) if number not in together]


def _together(connection: sqlite3.Connection, pairs: list[tuple[str, str]], run_key: int) -> set[int]:
    """Which of the pairs a run has both of."""
    return {int(row[0]) for row in connection.execute(_SQL["together_in_run"], (_list(pairs), run_key))}


def _left_tests_out(connection: sqlite3.Connection, run_key: int, before: int) -> bool:
    """Whether tests of one run may be missing in the other although they exist."""
    if connection.execute(_SQL["has_uncollected_file"], (run_key, before)).fetchone()[0]:
        return True
    facts, like = (read_run_facts(connection, key) for key in (run_key, before))
    return bool(why_unsure(facts, like) or why_unsure(like, facts))


def _other_tests(connection: sqlite3.Connection, run_key: int, other: int) -> list[int]:
    return [row[0] for row in connection.execute(_SQL["other_tests"], (run_key, other))]


def _functions(connection: sqlite3.Connection, test_keys: Iterable[int]) -> list[str]:
    ids = connection.execute(_SQL["ids"], (_list(test_keys),))
    return sorted({function_of(row[0]) for row in ids})


def _list(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()

"""Which tests were flaky in some runs: what the database knows, for the definition in core/analysis/flakiness.py."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from semantest_recorder.core.analysis.flakiness import (
    BROKEN_SHARE,
    BROKEN_TESTS,
    JUDGED,
    Flakiness,
    Observation,
    flakiness,
    is_broken,
)
from semantest_recorder.core.analysis.identity import Identity
from semantest_recorder.core.analysis.run_code import RunCode, code_of
from semantest_recorder.core.analysis.window import WindowRun
from semantest_recorder.store.analysis_window import key_list, test_ids, test_keys, told_text
from semantest_recorder.store.queries import statements

_SQL = statements("analysis_flaky.sql")


class FlakyTests(msgspec.Struct):
    """Flakiness by test id; places of runs are those in the runs that were asked for, ``broken`` among them.

    ``durations``: milliseconds in each run that judges them.
    """

    tests: dict[str, Flakiness]
    broken: list[int]
    durations: dict[str, list[float]]


def flaky_tests(connection: sqlite3.Connection, runs: Sequence[WindowRun], identity: Identity) -> FlakyTests:
    """The tests that were flaky in ``runs``, which come the oldest first, under the ids that they have at present."""
    keys = key_list(run.key for run in runs)
    rows = connection.execute(_SQL["not_good"], (keys,)).fetchall()
    bad: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for run_key, test_key, is_flaky in rows:
        bad[run_key].append((test_key, bool(is_flaky)))
    broken = {run_key for run_key, found in bad.items() if _is_broken(connection, run_key, len(found))}
    sound = _sound(connection, [run.key for run in runs], broken)
    observed, durations = _observed(connection, _candidates(bad, sound), sound, identity)
    found = {test_id: judged for test_id, seen in observed.items() if (judged := flakiness(seen)) is not None}
    places = [place for place, run in enumerate(runs) if run.key in broken]
    return FlakyTests(found, places, {test_id: durations[test_id] for test_id in found})


def flakiness_of_test(
    connection: sqlite3.Connection, run_ids: Sequence[str], test_id: str, identity: Identity
) -> tuple[Flakiness | None, int, int]:
    """How flaky a test, by its present id, was in those of these runs that are over; they come the oldest first.

    Then how many of them judged it, and how many more were broken as a whole.
    """
    closed = dict(connection.execute(_SQL["closed"], (key_list(run_ids),)).fetchall())
    runs = [closed[run_id] for run_id in run_ids if run_id in closed]
    bad = connection.execute(_SQL["numbers_bad"], (key_list(runs),)).fetchall()
    broken = {run_key for run_key, number in bad if _is_broken(connection, run_key, number)}
    keys = test_keys(connection, identity.ids_of(test_id))
    observed, _durations = _observed(connection, keys, _sound(connection, runs, broken), identity)
    seen = observed.get(test_id, [])
    return flakiness(seen), sum(one.state in JUDGED for one in seen), len(broken)


def errors_of(
    connection: sqlite3.Connection, ids: Iterable[str], runs: Iterable[WindowRun]
) -> list[tuple[str | None, str]]:
    """Type and message of each bad attempt of the test with these ids in ``runs``, the earliest first."""
    rows = connection.execute(_SQL["errors"], (key_list(ids), key_list(run.key for run in runs)))
    return [(kind, message or "") for kind, message in rows if kind or message]


def _sound(
    connection: sqlite3.Connection, runs: Sequence[int], broken: Collection[int]
) -> dict[int, tuple[int, RunCode | None]]:
    """The place among ``runs`` and the code of each that is not ``broken``, by its key."""
    codes = {
        run_key: code_of(*map(told_text, told), clean=bool(clean))
        for run_key, clean, *told in connection.execute(_SQL["codes"], (key_list(runs),))
    }
    return {run_key: (place, codes.get(run_key)) for place, run_key in enumerate(runs) if run_key not in broken}


def _is_broken(connection: sqlite3.Connection, run_key: int, bad: int) -> bool:
    if bad < BROKEN_TESTS:  # most runs need not be counted
        return False
    enough = int(bad / BROKEN_SHARE) + 1  # with so many it is not broken, however many more there are
    return is_broken(bad, connection.execute(_SQL["judged"], (run_key, enough)).fetchone()[0])


def _candidates(
    bad: Mapping[int, Sequence[tuple[int, bool]]], sound: Mapping[int, tuple[int, RunCode | None]]
) -> set[int]:
    """The tests that may be flaky: one run says so, or they failed in one and there is another of the same code."""
    times: dict[RunCode | None, int] = defaultdict(int)
    for _, code in sound.values():
        times[code] += code is not None
    return {
        test_key
        for run_key, found in bad.items()
        if run_key in sound
        for test_key, is_flaky in found
        if is_flaky or times[sound[run_key][1]] > 1
    }


def _observed(
    connection: sqlite3.Connection,
    tests: Iterable[int],
    sound: Mapping[int, tuple[int, RunCode | None]],
    identity: Identity,
) -> tuple[dict[str, list[Observation]], dict[str, list[float]]]:
    """What became of ``tests``, and of what they were called before, in each run; and the milliseconds of judged runs.

    Of two names in one run the present one counts.
    """
    lives = {test_id for name in test_ids(connection, tests).values() for test_id in identity.ids_of(name)}
    named = {key: (identity.current(test_id), test_id) for key, test_id in test_keys(connection, lives).items()}
    rows = connection.execute(_SQL["observations"], (key_list(sound), key_list(named))).fetchall()
    rows.sort(key=lambda row: named[row[0]][0] != named[row[0]][1])
    observed: dict[str, dict[int, Observation]] = defaultdict(dict)
    durations: dict[str, list[float]] = defaultdict(list)
    for test_key, run_key, state, attempts, fingerprint, duration, repeated in rows:
        name, (place, code) = named[test_key][0], sound[run_key]
        if place in observed[name]:
            continue
        observed[name][place] = Observation(place, code, state, attempts, fingerprint, bool(repeated))
        if state in JUDGED:
            durations[name].append(duration)
    return {name: list(seen.values()) for name, seen in observed.items()}, durations

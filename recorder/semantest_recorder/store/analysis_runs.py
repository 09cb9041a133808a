"""What comparisons of runs, failures and histories of tests read, over one read-only connection."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from semantest_recorder.core.analysis.comparison import NO_VERDICT, TestInRun
from semantest_recorder.core.analysis.rows import Failure, PastRun
from semantest_recorder.core.analysis.run_code import Leg, code_of
from semantest_recorder.core.analysis.selection import RunFacts
from semantest_recorder.store.analysis_window import pull_request_of, require_branch, told_text
from semantest_recorder.store.errors import BranchNotFound, CannotOpen, RunNotFound
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only

_SQL = statements("analysis_runs.sql")
_MOST = 2**63 - 1


class RunPlace(NamedTuple):
    """Where a run stands among others: when it started (ms since the epoch), its branch, its pull request."""

    since_ms: float | None
    branch: str | None
    pull_request: str | None


class AnalysisRuns:
    """Queries on the database at ``path``, to be closed. Everything raises what ``Reader`` raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.connection = connect_read_only(path)

    def close(self) -> None:
        """Lets go of the database."""
        self.connection.close()

    def run_before(self, run_id: str) -> str | None:
        """The last run before this one of the same branch and of no other pull request; it is over, and ran tests."""
        return self._one("run_before", run_id)

    def last_of_branch(self, branch: str, but: str, *, merged: bool = False) -> str:
        """The last run of a branch, other than ``but``, that went through the suite. Raises ``BranchNotFound``.

        Runs of pull requests count where the branch has no others, and not at all where it must be ``merged``.
        """
        found = self._one("last_of_branch", branch, but, merged)
        if found is None:
            self.require_branch(branch)
            raise BranchNotFound(branch, [], known=True)
        return found

    def require_branch(self, branch: str) -> None:
        """Raises ``BranchNotFound`` for one that no run has."""
        try:
            require_branch(self.connection, branch)
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None

    def last_runs(self, number: int, branch: str | None) -> list[str]:
        """The last runs, newest first, of one branch if it is named. Raises ``BranchNotFound``."""
        if branch is not None:
            self.require_branch(branch)
        return [str(row[0]) for row in self._all("last_runs", *self._of(branch), min(number, _MOST))]

    def started(self, run_ids: Iterable[str]) -> dict[str, float | None]:
        """When runs started, in ms since the epoch."""
        return dict(self._all("started", _list(run_ids)))

    def facts(self, run_id: str) -> RunFacts:
        """How the run was started and ended."""
        try:
            return read_run_facts(self.connection, self._key(run_id))
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None

    def tests(self, run_id: str) -> dict[str, TestInRun]:
        """The tests of a run by id, in the order of its plan."""
        rows = self._all("tests", self._key(run_id))
        return {row[0]: TestInRun(*row) for row in rows}

    def passes(self, run_id: str, tests: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[float]]:
        """Times in ms of each test when it passed, in the last ``runs`` runs up to this one.

        Of its branch, and of no other pull request. ``tests``: all names of each test.
        """
        found: dict[str, list[float]] = defaultdict(list)
        for test_id, state, duration in self._past(run_id, tests, runs):
            if state in ("passed", "xpassed"):
                found[test_id].append(duration)
        return found

    def last_verdicts(self, run_id: str, tests: Mapping[str, Sequence[str]], runs: int) -> dict[str, str]:
        """The last state of each test that says something, in the same runs."""
        found: dict[str, str] = {}
        for test_id, state, _duration in self._past(run_id, tests, runs):
            if state not in NO_VERDICT:
                found.setdefault(test_id, state)
        return found

    def histories(self, run_id: str, tests: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[PastRun]]:
        """Each test in the last ``runs`` runs up to this one that have it, this one included; oldest first.

        As in ``passes``. Of two names in one run the one that stands first in those of its test counts.
        """
        return self._histories(tests, self._all("runs_up_to", run_id, min(runs, _MOST)))

    def histories_before(
        self, place: RunPlace, tests: Mapping[str, Sequence[str]], runs: int
    ) -> dict[str, list[PastRun]]:
        """The same of a run that is not here: each test in the last ``runs`` runs before it."""
        return self._histories(tests, self._all("runs_before", *place, min(runs, _MOST)))

    def knows(self, run_id: str) -> bool:
        """Whether the run is here."""
        return self._one("key", run_id) is not None

    def _histories(
        self, tests: Mapping[str, Sequence[str]], run_keys: Iterable[tuple[int]]
    ) -> dict[str, list[PastRun]]:
        place = {name: (number, test) for test, names in tests.items() for number, name in enumerate(names)}
        keys = _list(key for (key,) in run_keys)
        heads = {
            key: _past_run((*told[:7], "", "", 0, 0.0, None, None, None, *told[7:]))
            for key, *told in self._all("run_heads", keys)
        }
        found: dict[str, dict[str, tuple[int, PastRun]]] = {test: {} for test in tests}
        for run_key, name, *result in self._all("results_in_runs", keys, _list(place)):
            number, test = place[name]
            head = heads[run_key]
            known = found[test].get(head.run_id)
            if known is None or number < known[0]:
                found[test][head.run_id] = number, PastRun(*(*head[:7], name, *result, head.leg, head.code))
        return {test: [past for _number, past in of.values()] for test, of in found.items()}

    def past_durations(self, run_id: str, runs: int) -> list[float]:
        """What the last ``runs`` runs before this one took in ms, of about as many tests; as in ``passes``."""
        return [row[0] for row in self._all("past_durations", run_id, runs)]

    def errors(self, run_id: str, test_ids: Iterable[str]) -> dict[str, Failure]:
        """The error of the last bad attempt of each of the tests."""
        rows = self._all("errors", run_id, _list(test_ids))
        return {row[0]: Failure(*row) for row in rows}

    def history(self, test_ids: Sequence[str], branch: str | None, runs: int) -> list[PastRun]:
        """The test that has these names in the last ``runs`` runs that have it, newest first; in one branch if named.

        Of two names in one run the one that stands first in ``test_ids`` counts.
        """
        if branch is None:
            return self._history("every_run", test_ids, runs)
        return self._history("of_branch", test_ids, runs, *self._of(branch))

    def history_like(self, run_id: str, test_ids: Sequence[str], runs: int) -> list[PastRun]:
        """The same in the branch of a run, and of no other pull request than its own."""
        return self._history("like_run", test_ids, runs, run_id)

    def failures(self, run_id: str, most: int = _MOST) -> list[Failure]:
        """The last bad attempt of the first ``most`` tests of a run that are broken or flaky."""
        rows = self._all("failures", self._key(run_id), most)
        return list({row[0]: Failure(*row) for row in rows}.values())

    def failure_count(self, run_id: str) -> int:
        """How many tests of a run are broken or flaky."""
        return int(self._all("failure_count", self._key(run_id))[0][0])

    def failures_of(
        self, test_ids: Iterable[str], runs: int = _MOST, until: str | None = None
    ) -> list[tuple[str, Failure]]:
        """``(run, bad attempt)`` of these tests in the last ``runs`` runs, up to ``until``; the oldest run first."""
        keys = self._all("keys_of_tests", _list(test_ids))
        rows = self._all("failures_of_tests", _list(row[0] for row in keys), runs, until)
        return [(row[0], Failure(*row[1:])) for row in rows]

    def _history(self, which: str, test_ids: Sequence[str], runs: int, *arguments: Any) -> list[PastRun]:
        found: dict[str, PastRun] = {}
        sql = _SQL["history"].replace("{which}", _SQL[which])
        for row in self._rows(sql, _list(test_ids), min(runs * len(test_ids), _MOST), *arguments):
            found.setdefault(row[0], _past_run(row))
        return list(found.values())[:runs]

    def _of(self, branch: str | None) -> tuple[str | None, Any]:
        """The branch, and the pull request whose runs count as its own."""
        try:
            return branch, pull_request_of(self.connection, branch)
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None

    def _past(self, run_id: str, tests: Mapping[str, Sequence[str]], runs: int) -> list[tuple[str, str, float]]:
        owner = {name: test_id for test_id, names in tests.items() for name in names}
        keys = {row[0]: owner[row[1]] for row in self._all("keys_of_tests", _list(owner))}
        run_keys = [row[0] for row in self._all("runs_up_to", run_id, runs)]
        rows = self._all("past", _list(run_keys), _list(keys))
        return [(keys[key], state, duration) for key, state, duration in rows]

    def _key(self, run_id: str) -> int:
        rows = self._all("key", run_id)
        if not rows:
            raise RunNotFound(run_id, [])
        return int(rows[0][0])

    def _one(self, query: str, *arguments: Any) -> str | None:
        rows = self._all(query, *arguments)
        return str(rows[0][0]) if rows else None

    def _all(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self._rows(_SQL[query], *arguments)

    def _rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise CannotOpen(self._path, str(error)) from None


def read_run_facts(connection: sqlite3.Connection, run_key: int) -> RunFacts:
    """How a run was started and ended. Raises ``sqlite3.Error``."""
    args, cwd, rootdir, deselected, planned, sessions, over = connection.execute(_SQL["facts"], (run_key,)).fetchone()
    try:
        told = msgspec.json.decode(args) if isinstance(args, str) else []
    except (ValueError, RecursionError):
        told = []
    arguments = tuple(arg for arg in told if isinstance(arg, str)) if isinstance(told, list) else ()
    cwd, rootdir = (text if isinstance(text, str) else "" for text in (cwd, rootdir))
    return RunFacts(arguments, cwd, rootdir, deselected, planned, sessions, bool(over))


def _past_run(row: tuple[Any, ...]) -> PastRun:
    *told, python, platform, packages, labels = row
    run = PastRun(*told)
    leg, commit = Leg(told_text(python), told_text(platform), labels), _text(run.commit)
    code = code_of(commit, leg.python, leg.platform, told_text(packages), labels, clean=not run.dirty)
    return run._replace(branch=_text(run.branch), commit=commit, leg=leg, code=code)


def _text(value: object) -> str | None:
    """What stands in JSON where a text belongs."""
    return value if isinstance(value, str) else None


def _list(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()

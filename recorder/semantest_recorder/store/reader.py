"""Read-only queries: each one fetches all, so that no read transaction outlives it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.jobs import SessionOrigin, add_origin
from semantest_recorder.core.nearest import nearest
from semantest_recorder.core.rerun_chain import rerun_of
from semantest_recorder.core.rows import (
    AttemptRow,
    CrashRow,
    PictureRow,
    ResultRow,
    RunRow,
    SourceRow,
    SuiteRow,
    TestEventRow,
    WarningRow,
)
from semantest_recorder.store.errors import AmbiguousRun, CannotOpen, NoDatabase, RunNotFound
from semantest_recorder.store.queries import statements
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.row_reading import attempt_row, result_row, run_row, source_row

_SQL = statements("reader.sql")
_json = msgspec.json.decode
#: The largest integer of SQLite.
_MOST = 2**63 - 1


class Neighbours(NamedTuple):
    """The bad tests next to one, in the order of the plan: of ``bad`` of them so many stand ``before`` it."""

    previous: str | None
    next: str | None
    before: int
    bad: int


class Reader:
    """The runs of the database at ``path``.

    Every method raises ``NoDatabase``, ``DatabaseTooNew``, ``DatabaseTooOld``, ``NotOurs`` or ``CannotOpen``
    (store/errors.py) when the file cannot be read, and gives an empty list for a run id that is not there. Each query
    opens the file anew, but over a ``connection`` to it that somebody else opened and closes.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None = None) -> None:
        self.path = Path(path)
        self._connection = connection

    def exists(self) -> bool:
        """Whether there is a database: a file that is not there yet, or still empty, is none."""
        try:
            connect_read_only(self.path).close()
        except NoDatabase:
            return False
        return True

    def runs(self, limit: int = 20) -> list[RunRow]:
        """The ``limit`` runs that started last, newest first; none started after the first of it came."""
        return [run_row(row) for row in self._all("runs", min(limit, _MOST))]

    def run(self, name: str) -> RunRow:
        """The run with this id, with the only id that starts so, or for ``last`` the one that started last.

        Raises ``RunNotFound`` or ``AmbiguousRun``.
        """
        return run_row(self._all("run", self._resolve(name))[0])

    def since_ms(self, run_ids: Sequence[str]) -> dict[str, float]:
        """By what these runs are ordered in time: when they started, or when they came if their clock was ahead."""
        return dict(self._all("since", msgspec.json.encode(run_ids).decode()))

    def reruns(self) -> dict[str, tuple[str, ...]]:
        """By the ids of runs that ran what others owed the ids of those."""
        return {run_id: rerun_of({"rerunOf": _json(named)}) for run_id, named in self._all("reruns")}

    def run_by_id(self, run_id: str) -> RunRow:
        """The run with this very id. Raises ``RunNotFound``."""
        rows = self._all("run", run_id)
        if not rows:
            raise RunNotFound(run_id, [])
        return run_row(rows[0])

    def sources(self, run_id: str) -> list[SourceRow]:
        """The sources of a run in the order in which they came."""
        return [source_row(row) for row in self._all("sources", run_id)]

    def origins(self, run_id: str) -> list[SessionOrigin]:
        """Where the sessions of a run say that they ran, in the order in which they came."""
        found: dict[str, SessionOrigin] = {}
        for session, kind, text in self._all("origins", run_id):
            origin = found.setdefault(session, SessionOrigin(session))
            try:
                add_origin(origin, kind, _json(text))
            except (ValueError, RecursionError):
                continue
        return list(found.values())

    def crashes(self, run_id: str) -> list[CrashRow]:
        """The reports of crashed processes in a run."""
        return [CrashRow(*row) for row in self._all("crashes", run_id)]

    def results(self, run_id: str) -> list[ResultRow]:
        """The tests of a run in the order of the plan, those that were not planned last."""
        return [result_row(row) for row in self._all("results", run_id)]

    def results_of(self, run_id: str, test_ids: Sequence[str]) -> list[ResultRow]:
        """The same of some tests, in the order of ``test_ids``."""
        return [result_row(row) for row in self._all("results_of", run_id, msgspec.json.encode(test_ids).decode())]

    def results_in(self, run_id: str, states: Sequence[str], most: int) -> list[ResultRow]:
        """The first ``most`` tests of a run in one of ``states``, none of them passed, pending or running."""
        return [result_row(row) for row in self._all("results_in", run_id, msgspec.json.encode(states).decode(), most)]

    def slowest(self, run_id: str, most: int) -> list[ResultRow]:
        """The ``most`` tests of a run that took longest, the slowest first."""
        return [result_row(row) for row in self._all("slowest", run_id, most)]

    def planned(self, run_id: str) -> int:
        """How many tests of a run have a place in its plan."""
        return int(self._all("planned", run_id)[0][0])

    def warnings_told(self, run_id: str) -> int:
        """How many warnings pytest recorded in a run."""
        return int(self._all("warnings_told", run_id)[0][0])

    def attempts(self, run_id: str) -> list[AttemptRow]:
        """Every attempt of a run, those of a test together and in order."""
        return [attempt_row(row) for row in self._all("attempts", run_id)]

    def attempts_of(self, run_id: str, test_ids: Sequence[str]) -> list[AttemptRow]:
        """The same of some tests."""
        names = msgspec.json.encode(test_ids).decode()
        return [attempt_row(row) for row in self._all("attempts_of", run_id, names)]

    def suites(self, run_id: str) -> list[SuiteRow]:
        """The suites of a run in the order in which they started."""
        return [SuiteRow(*row) for row in self._all("suites", run_id)]

    def test_events(self, run_id: str, test_id: str) -> list[TestEventRow]:
        """Where a test's steps, logs, assertions and attachments are, those of a source in their order."""
        return [TestEventRow(*row) for row in self._all("test_events", run_id, test_id)]

    def pictures(self, run_id: str) -> list[PictureRow]:
        """Where pictures and attachments of a run's tests are, those of a test together."""
        return [PictureRow(*row) for row in self._all("pictures", run_id)]

    def step_events(self, run_id: str, most: int) -> list[tuple[str, int, str, str, float, str]]:
        """Beginnings and ends of steps, the first ``most``: test, attempt, source, type, time in ms, payload."""
        return self._all("step_events", run_id, most)

    def warnings(self, run_id: str) -> list[WarningRow]:
        """The warnings of a run."""
        return [WarningRow(*row) for row in self._all("warnings", run_id)]

    def warnings_of(self, run_id: str, test_id: str) -> list[WarningRow]:
        """The warnings of one test of a run."""
        return [WarningRow(*row) for row in self._all("warnings_of", run_id, test_id)]

    def bad_around(self, run_id: str, test_id: str) -> Neighbours:
        """The tests of a run next to one that did not go straight to a good end."""
        return Neighbours(*self._all("bad_around", run_id, test_id)[0])

    def payload(self, source: str, seq: int) -> dict[str, Any] | None:
        """The payload of one event, or ``None`` when there is no such event or its payload is no object."""
        rows = self._all("payload", source, seq)
        try:
            payload = _json(rows[0][0]) if rows else None
        except (ValueError, RecursionError):
            return None
        return payload if isinstance(payload, dict) else None

    def history(self, test_id: str, limit: int = 20, *, other_names: Sequence[str] = ()) -> list[PastRun]:
        """What became of a test in the last ``limit`` runs that have it, newest first.

        Of two of its names in one run the first counts.
        """
        names = (test_id, *other_names)
        found: dict[str, PastRun] = {}
        for row in self._all("history", msgspec.json.encode(names).decode(), min(limit * len(names), _MOST)):
            found.setdefault(row[0], PastRun(*row))
        return list(found.values())[:limit]

    def find_tests(self, fragment: str, limit: int = 20) -> list[str]:
        """Ids of tests that contain ``fragment``: the exact one first, then the shortest."""
        return [row[0] for row in self._all("find_tests", fragment, limit)]

    def _resolve(self, name: str) -> str:
        if name == "last":
            found = self._all("last_run")
            if not found:
                raise RunNotFound(name, [])
            return str(found[0][0])
        matches = [str(row[0]) for row in self._all("runs_by_prefix", name)] if name else []
        if name in matches:
            return name
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise AmbiguousRun(name, matches)
        known = [str(row[0]) for row in self._all("run_ids")]
        raise RunNotFound(name, nearest(name, ["last", *known] if known else [], 0.5))

    def _all(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        given = self._connection
        with closing(connect_read_only(self.path)) if given is None else nullcontext(given) as connection:
            try:
                return connection.execute(_SQL[query], arguments).fetchall()
            except sqlite3.Error as error:  # a damaged page, or a lock that lasts
                raise CannotOpen(self.path, str(error)) from None

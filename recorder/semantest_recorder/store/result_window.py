"""Windows of a run's results: filtered, in one of several orders, forwards and backwards from any test."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from semantest_recorder.store.queries import statements

_SQL = statements("result_window.sql")

WindowOrder = Literal["plan", "state", "duration", "name"]
#: All there are.
NO_LIMIT: Final = -1
#: So many keys are handed from one statement to the next.
_FEW: Final = 30_000


class ResultFilter(NamedTuple):
    """Which results are wanted; what is empty leaves all in.

    ``suite``: a folder, file or class with all that is in it. ``text`` is part of the id, of a reason or of the message
    of an error; letters of ASCII count the same in both cases.
    """

    states: Sequence[str] = ()
    worker: str = ""
    marker: str = ""
    suite: str = ""
    text: str = ""


class Place(NamedTuple):
    """Where a result stands in an order."""

    key: float | str
    test_key: int


class WindowRow(NamedTuple):
    """One result, and the last error of its attempts: its type and the beginning of its message."""

    test_id: str
    state: str
    attempts: int
    duration_ms: float
    worker: str | None
    suite: str
    markers: Sequence[str]
    reason: str | None
    repetitions: int | None
    in_quarantine: bool
    forgiven: bool
    error_type: str | None = None
    error_message: str | None = None


class ResultWindow:
    """The results of a run that fit ``wanted``, in this order. Its methods raise ``sqlite3.Error``."""

    def __init__(self, connection: sqlite3.Connection, run_key: int, wanted: ResultFilter, order: WindowOrder) -> None:
        self._connection = connection
        self._run_key = run_key
        self._order = _SQL[f"order_{order}"]
        self._wanted = wanted
        self._is_found = False
        self._values: dict[str, Any] = {
            "run_key": run_key,
            "states": msgspec.json.encode(wanted.states).decode(),
            "worker": wanted.worker,
            "marker": wanted.marker,
            "suite": wanted.suite,
            "text": _containing(wanted.text),
        }

    def place(self, test_id: str) -> Place | None:
        """Where a test of the run stands; ``None`` for one that is none of the run."""
        row = self._one("place", ("run",), test=test_id)
        return None if row is None else Place(*row)

    def rows(self, after: Place | None, before: Place | None, most: int) -> list[WindowRow]:
        """At most ``most`` results behind ``after``, or with ``before`` the last ones that stand before it.

        Without either the first ones; ``NO_LIMIT`` gives all.
        """
        place = after or before
        values = {"key": None, "test_key": None} if place is None else place._asdict()
        name = "keys" if before is None else "keys_backwards"
        keys = [key for (key,) in self._all(name, self._chosen(), **values, most=most)]
        return self._read(keys if before is None else keys[::-1])

    def last_rows(self, most: int) -> list[WindowRow]:
        """The last ``most`` results."""
        keys = [key for (key,) in self._all("keys_backwards", self._chosen(), key=None, test_key=None, most=most)]
        return self._read(keys[::-1])

    def states(self) -> Mapping[str, int]:
        """How many tests are in each state, of those that fit all but the wanted states.

        Where they are few, rows that are asked for behind it are looked for among them.
        """
        conditions = [name for name in self._chosen() if name != "states"]
        tests, others, keys = self._one("states", conditions)
        if tests <= _FEW:
            self._values["found"] = f"[{keys or ''}]"
            self._is_found = True
        found = Counter(others.split(",") if others else ())
        passed = tests - found.total()
        return {"passed": passed, **found} if passed else found

    def _chosen(self) -> list[str]:
        if self._is_found:
            return ["run", "found", *(["states"] if self._wanted.states else [])]
        return ["run", *(name for name, value in self._wanted._asdict().items() if value)]

    def _read(self, keys: Sequence[int]) -> list[WindowRow]:
        named = (self._run_key, msgspec.json.encode(keys).decode())
        errors = {row[0]: row[1:] for row in self._connection.execute(_SQL["errors"], named)}
        return [
            WindowRow(*(*row[:6], _markers(row[6]), *row[7:9], bool(row[9]), bool(row[10])), *errors.get(key, ()))
            for key, *row in self._connection.execute(_SQL["rows"], named)
        ]

    def _one(self, name: str, conditions: Sequence[str], **values: Any) -> Any:
        return self._connection.execute(self._text(name, conditions), self._values | values).fetchone()

    def _all(self, name: str, conditions: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(self._text(name, conditions), self._values | values).fetchall()

    def _text(self, name: str, conditions: Sequence[str]) -> str:
        where = " AND ".join(_SQL[f"where_{condition}"] for condition in conditions)
        return _SQL[name].replace("{where}", where).replace("{order}", self._order)


def _markers(text: str) -> Sequence[str]:
    return () if text == "[]" else tuple(msgspec.json.decode(text))


def _containing(text: str) -> str:
    """The pattern of ``LIKE`` for texts that contain ``text``."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

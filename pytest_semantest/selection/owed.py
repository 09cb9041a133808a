"""What runs owe, as a session that runs it reads it (``protocol/owed.py`` has its form). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from pytest_semantest.protocol.owed import OWED_SCHEMA

#: The name of the newest run.
LAST = "last"


class Told(NamedTuple):
    """The last word on a test: its state, whether it is still owed, the fingerprint of its function then."""

    state: str
    owed: bool
    fingerprint: str


class Owed(NamedTuple):
    """``runs``: the ids of those that were named; ``green``: all of them passed, with their reruns.

    ``aliases``: other names of owed tests.
    """

    runs: tuple[str, ...]
    missing: tuple[str, ...]
    running: tuple[str, ...]
    complete: bool
    green: bool
    outstanding: int
    tests: dict[str, Told]
    aliases: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - never changed


def parse_owed(content: bytes) -> Owed:
    """What was found out. Raises ``ValueError``, which says what is wrong with it."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("the answer is no JSON") from None
    if not isinstance(found, dict) or found.get("schema") != OWED_SCHEMA:
        raise ValueError(f"the answer is not of schema {OWED_SCHEMA}")
    tests = found.get("tests")
    if not isinstance(tests, dict) or not isinstance(found.get("outstanding"), int):
        raise ValueError("the answer is not complete")  # noqa: TRY004 - of what another program says
    aliases = found.get("aliases", {})
    if not isinstance(aliases, dict):
        raise ValueError("the answer is not complete")  # noqa: TRY004 - as above
    owed = Owed(
        runs=_names(found.get("runs")),
        missing=_names(found.get("missing")),
        running=_names(found.get("running")),
        complete=found.get("complete") is True,
        green=found.get("state") == "passed",
        outstanding=found["outstanding"],
        tests={test_id: _told(row) for test_id, row in tests.items()},
        aliases={test_id: _names(names) for test_id, names in aliases.items()},
    )
    if owed.outstanding != sum(told.owed for told in owed.tests.values()):
        raise ValueError("the answer contradicts itself: it counts other tests as owed than it names")
    if owed.green and (owed.outstanding or owed.missing or owed.running or not owed.complete):
        raise ValueError("the answer contradicts itself: what is green owes nothing, and all of it is known")
    return owed


def is_about(owed: Owed, asked: Sequence[str]) -> bool:
    """Whether it is an answer to this question: ids of runs, unique beginnings of such, ``last``."""
    begins = tuple("" if name == LAST else name for name in asked)
    return all(run.startswith(begins) for run in owed.runs) and all(
        any(run.startswith(begin) for run in owed.runs) for begin in begins
    )


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("the answer has names that are none")
    return tuple(value)


def _told(row: Any) -> Told:
    if not isinstance(row, list) or len(row) < 2 or not isinstance(row[0], str) or not isinstance(row[1], bool):
        raise ValueError("a test in the answer has no state")
    fingerprint = row[2] if len(row) > 2 else None
    return Told(row[0], row[1], fingerprint if isinstance(fingerprint, str) else "")

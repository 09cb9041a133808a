"""Why there is no answer, as a code for programs and a line for people."""

from __future__ import annotations

import sqlite3

from semantest_recorder.answers.cursor import InvalidCursor
from semantest_recorder.answers.errors import NoRunOfTest, NoSuchTest, SeveralTests, Unanswered
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.subscription import InvalidPattern
from semantest_recorder.store.errors import AmbiguousRun, BranchNotFound, NoDatabase, RunNotFound, StoreError

#: The first kind that fits counts.
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (RunNotFound, "RUN_NOT_FOUND"),
    (NoDatabase, "RUN_NOT_FOUND"),
    (BranchNotFound, "BRANCH_NOT_FOUND"),
    (AmbiguousRun, "AMBIGUOUS_NAME"),
    (SeveralTests, "AMBIGUOUS_NAME"),
    (NoSuchTest, "TEST_NOT_FOUND"),
    (NoRunOfTest, "TEST_NOT_FOUND"),
    (Unanswered, "RUN_NOT_FOUND"),
    (InvalidCursor, "INVALID_REQUEST"),
    (InvalidPattern, "INVALID_PATTERN"),
    (StoreError, "STORE_ERROR"),
    (sqlite3.Error, "STORE_ERROR"),
)


def refusal_of(error: Exception) -> Refusal | None:
    """The refusal that ``error`` is, ``None`` for an error of our own."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    return None if code is None else Refusal(code, str(error))

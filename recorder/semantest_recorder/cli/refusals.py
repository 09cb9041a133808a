"""What lies outside of us and went wrong, as one line that says what to do."""

from __future__ import annotations

import errno
import sqlite3

from semantest_recorder.answers.errors import (
    NoEarlierRun,
    NoRunBefore,
    NoRunInTime,
    NoSuchTest,
    SeveralTests,
    Unanswered,
)
from semantest_recorder.cli.place import went_elsewhere
from semantest_recorder.cli.stop import NothingRecorded, Stop
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import EXIT_NOT_GREEN, EXIT_USAGE
from semantest_recorder.store.errors import (
    AmbiguousRun,
    BranchNotFound,
    NoDatabase,
    RunNotFound,
    StoreError,
    advice_for,
)

#: Where the tests are that can be named.
LISTED_IN_REPORTS = "`semantest report --json` lists the tests of a run"
_ADVICE: dict[type[Unanswered], str] = {
    NoRunBefore: "name two runs (`semantest runs` lists them), or --base BRANCH",
    NoRunInTime: "ask for a longer time",
    NoEarlierRun: "ask for a shorter time, or since a later run",
    NoSuchTest: LISTED_IN_REPORTS,
}


def unanswered(error: Unanswered) -> Stop:
    """How a command ends that has no answer."""
    if isinstance(error, SeveralTests):
        return Stop(str(error), EXIT_USAGE)
    text = inert_line(str(error))
    advice = None if isinstance(error, NoSuchTest) and error.nearest else _ADVICE.get(type(error))
    return NothingRecorded(f"{text}: {advice}" if advice is not None else text)


def refusal_of(error: Exception) -> Stop | None:
    """How a command ends because of ``error``; ``None`` for an error of our own, whose traceback is wanted."""
    if isinstance(error, (NoDatabase, RunNotFound, BranchNotFound)):
        elsewhere = went_elsewhere(error.path.parent if isinstance(error, NoDatabase) else None)
        return NothingRecorded(inert_line(f"{error}.{elsewhere}" if elsewhere else str(error)))
    if isinstance(error, Unanswered):
        return unanswered(error)
    if isinstance(error, AmbiguousRun):
        return Stop(inert_line(str(error)), EXIT_USAGE)
    if isinstance(error, StoreError):
        return Stop(inert_line(str(error)), EXIT_NOT_GREEN)
    if isinstance(error, sqlite3.Error):
        return Stop(f"the database cannot be read: {error}; {advice_for(str(error))}", EXIT_NOT_GREEN)
    if isinstance(error, UnicodeEncodeError):
        return Stop("an argument is no text: its bytes are not those of the locale's character set", EXIT_USAGE)
    if isinstance(error, OSError) and error.filename is not None:
        place = inert_line(str(error.filename))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Stop(f"{place} cannot be written: {error.strerror}; make room, and try again")
        return Stop(f"{place}: {error.strerror}; run this as the owner of the folder, or mend its permissions")
    return None

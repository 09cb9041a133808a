"""All that the history tells of one test, for whoever looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from semantest_recorder.answers.blame import blame_of
from semantest_recorder.answers.history import history_of
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.core.analysis.blame import VERDICTS
from semantest_recorder.core.analysis.comparison import BROKEN
from semantest_recorder.reports.blame_report import BlameReport
from semantest_recorder.reports.history_of_test import TestHistory

#: How many runs are gone back to find with which one a test broke.
_BLAMED = 200


class StoryOfTest(NamedTuple):
    """``blame``: with which run it broke; ``None`` when its last verdict is good."""

    history: TestHistory
    blame: BlameReport | None


def story_of(database: Path, test: str, branch: str | None, runs: int) -> StoryOfTest:
    """The last ``runs`` runs of the test that ``test`` means, of ``branch`` if named. Raises what ``history_of`` does.

    Commits are told if the database lies in the repository that they are of.
    """
    with stored_history(database) as history:
        found = history_of(history, test, branch, runs)
        last = next((run for run in found.runs if run.state in VERDICTS), None)
        if last is None or last.state not in BROKEN:
            return StoryOfTest(found, None)
        return StoryOfTest(
            found, blame_of(history, found.test, branch, _BLAMED, [str(database.resolve().parent.parent)])
        )

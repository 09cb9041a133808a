"""Tools about several runs: out of the database, and what is not in it is told."""

from __future__ import annotations

import time

from semantest_recorder.answers.blame import blame_of
from semantest_recorder.answers.failures import failures_in
from semantest_recorder.answers.flaky import flaky_list
from semantest_recorder.answers.history import history_of
from semantest_recorder.answers.run_difference import earlier_run, run_difference
from semantest_recorder.answers.slower import slower_tests
from semantest_recorder.answers.stored_history import stored_history
from semantest_recorder.answers.window import Window
from semantest_recorder.mcp_server.answer import Answer, answer
from semantest_recorder.mcp_server.place import Place
from semantest_recorder.mcp_server.questions import (
    BadArgumentError,
    BlameQuestion,
    DiffQuestion,
    FailuresQuestion,
    FlakyQuestion,
    HistoryQuestion,
    SlowerQuestion,
)
from semantest_recorder.reports.blame_lines import blame_lines
from semantest_recorder.reports.failure_lines import failure_lines
from semantest_recorder.reports.flaky_list import flaky_lines
from semantest_recorder.reports.history_of_test_lines import history_lines
from semantest_recorder.reports.run_diff_lines import diff_lines
from semantest_recorder.reports.slower_list import slower_lines

#: Lists are whole: the budget cuts them.
_ALL = 0


def failures(place: Place, question: FailuresQuestion) -> Answer:
    """Failures by their cause."""
    if question.run is not None and question.runs is not None:
        raise BadArgumentError("`run` and `runs` are two questions: give one")
    if question.branch is not None and question.runs is None:
        raise BadArgumentError("`branch` goes with `runs`")
    with stored_history(place.database) as history:
        if question.runs is not None:
            ids = history.runs.last_runs(question.runs, question.branch)
        else:
            ids = [history.reader.run(question.run or "last").id]
        found = failures_in(history, ids)
    lines = (line.plain for line in failure_lines(found, _ALL))
    return answer("Failures by their cause", lines, found, place.missing(), question.max_tokens)


def history(place: Place, question: HistoryQuestion) -> Answer:
    """One test through its runs."""
    with stored_history(place.database) as stored:
        found = history_of(stored, question.test, question.branch, question.runs)
    lines = (line.plain for line in history_lines(found))
    return answer("One test through its runs", lines, found, place.missing(), question.max_tokens)


def flaky(place: Place, question: FlakyQuestion) -> Answer:
    """Tests that failed without the code being the reason."""
    found = flaky_list(place.database, Window(question.runs, None, question.branch), limit=question.limit)
    lines = (line.plain for line in flaky_lines(found))
    return answer("Flaky tests, the flakiest first", lines, found, place.missing(), question.max_tokens)


def slower(place: Place, question: SlowerQuestion) -> Answer:
    """Tests that take longer, or less, than before."""
    found = slower_tests(place.database, question.since, time.time() * 1000, question.branch, question.limit)
    lines = (line.plain for line in slower_lines(found))
    return answer("Tests that became slower, or faster", lines, found, place.missing(), question.max_tokens)


def diff(place: Place, question: DiffQuestion) -> Answer:
    """What changed between two runs."""
    if question.before is not None and question.base is not None:
        raise BadArgumentError("`before` and `base` both name what to compare with: give one")
    with stored_history(place.database) as stored:
        run = stored.reader.run(question.after)
        found = run_difference(stored, earlier_run(stored, run, question.before, question.base), run)
    lines = (line.plain for line in diff_lines(found, _ALL))
    return answer("What changed between two runs", lines, found, place.missing(), question.max_tokens)


def blame(place: Place, question: BlameQuestion) -> Answer:
    """With which run a test broke."""
    with stored_history(place.database) as stored:
        found = blame_of(stored, question.test, question.branch, question.runs, place.repositories)
    lines = (line.plain for line in blame_lines(found))
    return answer("When a test broke", lines, found, place.missing(), question.max_tokens)

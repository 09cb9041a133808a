"""Tools about one run, or the list of runs: out of the database and of journals that are not in it yet."""

from __future__ import annotations

import time
from collections.abc import Iterator

from semantest_recorder.cli.current import current_run
from semantest_recorder.cli.exported_run import told_run
from semantest_recorder.cli.lookup import FoundRun, reader_of
from semantest_recorder.cli.run_lookup import chosen_runs
from semantest_recorder.cli.story_lookup import told_story
from semantest_recorder.mcp_server.answer import Answer, answer, structured
from semantest_recorder.mcp_server.place import Place
from semantest_recorder.mcp_server.questions import RunQuestion, RunsQuestion, TestQuestion
from semantest_recorder.reports.agent.agent_report import agent_report
from semantest_recorder.reports.agent.brief import AgentOptions, agent_rerun, agent_text
from semantest_recorder.reports.agent.tokens import plain_name
from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.exporter import ExportedRun
from semantest_recorder.reports.live import LiveView, Usual, live_view, usual_time
from semantest_recorder.reports.live_lines import failure_line, live_state_words, plain_lines, progress_words
from semantest_recorder.reports.report import Public
from semantest_recorder.reports.rerun import rerun_arguments
from semantest_recorder.reports.run_list import RunList, run_lines
from semantest_recorder.reports.story_lines import story_lines
from semantest_recorder.store.identity import read_identity

#: So many runs say how long a test usually takes, and so many are told of one test.
_HISTORY = 20
#: Nothing is shipped for a question: what nobody brings to the database is read from its journals.
_NO_SYNC = 0.0


class Rerun(Public):
    """What runs again what was not green: a shell line, and the tests as pytest takes them in the folder of the run.

    ``command`` is ``None`` when there is nothing to run again.
    """

    run: str
    command: str | None
    cwd: str | None
    arguments: list[str]


def runs(place: Place, question: RunsQuestion) -> Answer:
    """The recorded runs, newest first."""
    found, notes = chosen_runs(place.folder, question.limit + 1, _NO_SYNC, question.state, question.branch)
    listed = found[: question.limit]
    title = f"The last {len(listed)} runs" if len(found) > len(listed) else f"All runs: {len(listed)}"
    lines = [line.plain for line in run_lines(listed, None)] if listed else []
    return answer(title, lines, RunList(runs=listed), notes, question.max_tokens)


def report(place: Place, question: RunQuestion) -> Answer:
    """What came of one run."""
    run, notes = _exported(place, question)
    options = AgentOptions(question.max_tokens, place.cwd, place.directory, tuple(notes))
    shape = agent_report(run, options)
    return Answer(agent_text(run, options), structured(shape, notes, question.max_tokens))


def rerun_command(place: Place, question: RunQuestion) -> Answer:
    """How to run again what was not green."""
    run, notes = _exported(place, question)
    told = run.report
    command = agent_rerun(told, AgentOptions(question.max_tokens, place.cwd, place.directory))
    shape = Rerun(told.run.id, command, told.run.cwd, rerun_arguments(told))
    title = f"Run again what was not green in run {plain_name(told.run.id)}:\n{command}"
    if command is None:
        title = f"There is nothing to run again of run {plain_name(told.run.id)}, or no shell line can say it."
    return answer(title, [], shape, notes, question.max_tokens)


def test(place: Place, question: TestQuestion) -> Answer:
    """One test with all its attempts."""
    story, notes = told_story(place.folder, question.test, question.run, _NO_SYNC, _HISTORY)
    lines = (line.plain for line in story_lines(story, time.time() * 1000))
    return answer("One test", lines, story, notes, question.max_tokens)


def live(place: Place, question: RunQuestion) -> Answer:
    """How a run goes on now."""
    found = _found(place, question)
    rows = found.rows
    view = live_view(rows.run, rows.results, rows.attempts, time.time() * 1000, _UsualTimes(place).usual_of)
    title = f"Run {plain_name(view.run)}: {live_state_words(view)}; {progress_words(view)}"
    return answer(title, _live_lines(view), view, found.notes, question.max_tokens)


def _live_lines(view: LiveView) -> Iterator[str]:
    yield from plain_lines(view)
    if view.failures:
        yield "Latest failures:"
        yield from (failure_line(failure).plain for failure in view.failures)


def _found(place: Place, question: RunQuestion) -> FoundRun:
    return current_run(place.folder, question.run, _NO_SYNC, explained_only=True)


def _exported(place: Place, question: RunQuestion) -> tuple[ExportedRun, list[str]]:
    found = _found(place, question)
    return told_run(place.folder, found, aggregate(found.rows, explained_only=True)), found.notes


class _UsualTimes:
    """How long tests took before; nothing where there is no database."""

    def __init__(self, place: Place) -> None:
        self._reader = reader_of(place.folder)
        self._identity = read_identity(self._reader.path) if self._reader.exists() else None

    def usual_of(self, test_id: str) -> Usual | None:
        if self._identity is None:
            return None
        _own, *others = self._identity.ids_of(test_id)
        return usual_time(self._reader.history(test_id, _HISTORY, other_names=others))

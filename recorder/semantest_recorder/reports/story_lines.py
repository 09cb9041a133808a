"""The story of one test for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.reports.attempt_lines import (
    STYLES,
    error_lines,
    last_output_lines,
    output_lines,
    short_place,
    subtest_lines,
)
from semantest_recorder.reports.detail_lines import detail_lines
from semantest_recorder.reports.history_strip import strip_lines
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, TestInfo
from semantest_recorder.reports.story import TestStory
from semantest_recorder.reports.wording import duration, moment, plural, run_words, state_word

#: Outcomes of attempts that came to their end.
_ENDED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def story_lines(story: TestStory, now_ms: float) -> Iterator[Text]:
    """Everything that is known of the test, the attempts in order; ``now_ms``: when the reader looks."""
    test = story.test
    yield Text(inert_line(test.id), "bold")
    state = Text("  ").append(state_word(test.state), STYLES.get(test.state, ""))
    if test.reason:
        state.append(f": {inert_line(test.reason)}")
    yield state
    yield Text(
        f"  run {inert_line(story.run.id)} ({inert_line(run_words(story.run))}), started {moment(story.run.started_ms)}"
    )
    yield from _place(test)
    for name, value in story.param_values.items():
        yield Text(f"  {inert_line(name)} = {inert_line(value)[:500]}")
    for attempt in test.attempts_detail:
        yield Text()
        yield from _attempt(attempt, now_ms)
    for warning in story.warnings:
        yield Text()
        where = f" ({inert_line(warning.file)}:{warning.line})" if warning.file else ""
        yield Text(f"{inert_line(warning.category)}{where}: {inert(warning.message)}", "yellow")
    yield Text()
    yield from _history(story)


def _place(test: TestInfo) -> Iterator[Text]:
    if test.file:
        yield Text(f"  {inert_line(test.file)}" + (f":{test.line}" if test.line is not None else ""))
    if test.markers:
        yield Text(f"  markers: {inert_line(', '.join(test.markers))}")


def _attempt(attempt: AttemptInfo, now_ms: float) -> Iterator[Text]:
    outcome = attempt.outcome or "running"
    collecting = attempt.phase == "collect"
    head = Text().append("Collection: " if collecting else f"Attempt {attempt.attempt}: ", "bold")
    took = "" if collecting else _took(attempt, now_ms)
    yield head.append(state_word(outcome), STYLES.get(outcome, "")).append(f"{took} on {short_place(attempt)}", "dim")
    phases = "" if collecting else _phases(attempt)
    if phases:
        yield Text(f"  {phases}")
    if attempt.timeout_ms is not None:
        yield Text(f"  limit {duration(attempt.timeout_ms)}")
    yield from subtest_lines(attempt)
    yield from detail_lines(attempt)
    if attempt.reason:
        yield Text(f"  {inert_line(attempt.reason)}")
    yield from error_lines(attempt, 0)
    yield from last_output_lines(attempt)
    yield from output_lines(attempt)
    for name, value in attempt.user_properties:
        yield Text(f"  property {inert_line(str(name))} = {inert_line(str(value))[:500]}")


def _phases(attempt: AttemptInfo) -> str:
    phases = {"setup": attempt.phases.setup, "call": attempt.phases.call, "teardown": attempt.phases.teardown}
    times = [f"{phase} {duration(took)}" for phase, took in phases.items() if took is not None]
    if times or attempt.outcome in _ENDED:  # a client need not tell phases
        return ", ".join(times)
    return f"got as far as {inert_line(attempt.phase or 'an unknown phase')}"


def _took(attempt: AttemptInfo, now_ms: float) -> str:
    if attempt.outcome is not None:
        return f" in {duration(attempt.duration_ms)}"
    return f" for {duration(max(0.0, now_ms - attempt.started_ms))}" if attempt.started_ms is not None else ""


def _history(story: TestStory) -> Iterator[Text]:
    past = story.history
    if not past:
        return
    yield Text(f"History ({plural(len(past), 'run')}, newest last)", "bold")
    yield from strip_lines([result.state for result in past])
    if story.usual_ms is not None and any(result.run != story.run.id for result in past):
        yield Text(f"  usually takes {duration(story.usual_ms)}, this time {duration(story.test.duration_ms)}")
    bad = next((result for result in past[1:] if result.state not in ("passed", "skipped", "xfailed")), None)
    if bad is not None:
        at = f" at {inert_line(bad.commit)[:10]}" if bad.commit else ""
        yield Text(f"  before: {state_word(bad.state)} in run {inert_line(bad.run)}{at}")

"""The story of one test for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from semantest_recorder.reports.attempt_lines import STYLES, error_lines, last_output_lines, output_lines, subtest_lines
from semantest_recorder.reports.detail_lines import detail_lines
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, TestInfo
from semantest_recorder.reports.story import LETTERS, TestStory
from semantest_recorder.reports.wording import duration, moment, plural, state_word


def story_lines(story: TestStory) -> Iterator[Text]:
    """Everything that is known of the test, the attempts in order."""
    test = story.test
    yield Text(inert_line(test.id), "bold")
    state = Text("  ").append(state_word(test.state), STYLES.get(test.state, ""))
    if test.reason:
        state.append(f": {inert_line(test.reason)}")
    yield state
    yield Text(
        f"  run {inert_line(story.run.id)} ({inert_line(story.run.state)}), started {moment(story.run.started_ms)}"
    )
    yield from _place(test)
    for name, value in story.param_values.items():
        yield Text(f"  {inert_line(name)} = {inert_line(value)[:500]}")
    for attempt in test.attempts_detail:
        yield Text()
        yield from _attempt(attempt)
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


def _attempt(attempt: AttemptInfo) -> Iterator[Text]:
    outcome = attempt.outcome or "running"
    collecting = attempt.phase == "collect"
    head = Text().append("Collection: " if collecting else f"Attempt {attempt.attempt}: ", "bold")
    took = "" if collecting else f" in {duration(attempt.duration_ms)}"
    yield head.append(state_word(outcome), STYLES.get(outcome, "")).append(
        f"{took} on {inert_line(attempt.worker)}", "dim"
    )
    if not collecting:
        yield Text(f"  {_phases(attempt)}")
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
    return ", ".join(times) or f"got as far as {inert_line(attempt.phase or 'an unknown phase')}"


def _history(story: TestStory) -> Iterator[Text]:
    past = story.history
    if not past:
        return
    strip = Text("  ")
    for result in reversed(past):
        strip.append(LETTERS.get(result.state, "?"), STYLES.get(result.state, ""))
    yield Text(f"History ({plural(len(past), 'run')}, newest last)", "bold")
    yield strip
    seen = dict.fromkeys(result.state for result in past)
    yield Text("  " + ", ".join(f"{LETTERS.get(state, '?')} {state_word(state)}" for state in seen), "dim")
    if story.usual_ms is not None:
        yield Text(f"  usually takes {duration(story.usual_ms)}, this time {duration(story.test.duration_ms)}")
    bad = next((result for result in past[1:] if result.state not in ("passed", "skipped", "xfailed")), None)
    if bad is not None:
        at = f" at {inert_line(bad.commit)[:10]}" if bad.commit else ""
        yield Text(f"  before: {state_word(bad.state)} in run {inert_line(bad.run)}{at}")

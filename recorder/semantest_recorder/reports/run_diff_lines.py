"""A comparison of two runs for a terminal: what is newly bad first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from semantest_recorder.core.analysis.surroundings import OF_LEG
from semantest_recorder.reports.attempt_lines import run_style
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import ErrorInfo
from semantest_recorder.reports.run_diff import ComparedRun, RunDiff, TestChange, TimeChange
from semantest_recorder.reports.wording import (
    duration,
    moment,
    percent,
    plural,
    run_words,
    shortened,
    state_word,
)

_MESSAGE_MAX = 200
_VALUE_MAX = 40
#: So many things that are not alike are named.
_NAMED = 6
#: Why a test that the run had has no verdict.
_NO_VERDICT = {
    "not_run": "the run stopped before",
    "interrupted": "the run was interrupted in it",
    "running": "it still runs",
    "pending": "not started yet",
}


def diff_lines(diff: RunDiff, limit: int) -> Iterator[Text]:
    """The comparison; of each section at most ``limit`` tests, 0 for all."""
    yield _run_line("Before", diff.before)
    yield _run_line("After ", diff.after)
    yield from _surroundings(diff)
    yield Text("  ").append_text(_summary(diff))
    yield from _section("Newly failing", diff.newly_failing, limit, "bold red")
    yield from _section("Fixed", diff.fixed, limit, "green")
    yield from _section("Newly flaky", diff.newly_flaky, limit, "bold magenta")
    yield from _section("Newly skipped", diff.newly_skipped, limit, "yellow")
    yield from _section("Still failing", diff.still_failing, limit, "red")
    yield from _times("Slower", diff.slower, diff, limit)
    yield from _times("Faster", diff.faster, diff, limit)
    yield from _renamed(diff, limit)
    yield from _section("Added", diff.added, limit, "")
    yield from _section("Removed", diff.removed, limit, "")
    yield from _numbers("Changed otherwise", (f"{_word(one.before)} -> {_word(one.after)}" for one in diff.other))
    yield from _numbers("Not run", (one.why or _NO_VERDICT.get(one.after or "", "") for one in diff.not_run))
    yield from _numbers("Not run before", (one.why or "" for one in diff.not_run_before))


def _run_line(label: str, run: ComparedRun) -> Text:
    line = Text(f"{label}  run ").append(inert_line(run.id), "bold")
    line.append(": ").append(inert_line(run_words(run)), run_style(run.state, run.shards_missing))
    place = f", {inert_line(run.branch)}" if run.branch else ""
    place += f" @ {inert_line(run.commit)[:10]}" if run.commit else ""
    return line.append(f"{place}, {moment(run.started_ms)}")


def _surroundings(diff: RunDiff) -> Iterator[Text]:
    """What may be the reason though no code is: legs of one matrix follow each other as runs do."""
    told = [one for one in diff.differences if one.kind == "label" or one.name in OF_LEG]
    if told:
        changes = (f"{inert_line(one.name)} {_value(one.before)} -> {_value(one.after)}" for one in told[:_NAMED])
        more = f", and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        yield Text(f"  not alike: {', '.join(changes)}{more}", "yellow")


def _value(value: str | None) -> str:
    return "none" if value is None else shortened(inert_line(value), _VALUE_MAX)


def _summary(diff: RunDiff) -> Text:
    parts = [
        (len(diff.newly_failing), "newly failing", "bold red"),
        (len(diff.still_failing), "still failing", "red"),
        (len(diff.fixed), "fixed", "green"),
        (len(diff.newly_flaky), "newly flaky", "bold magenta"),
        (len(diff.newly_skipped), "newly skipped", "yellow"),
        (len(diff.other), "changed otherwise", ""),
        (len(diff.slower), "slower", ""),
        (len(diff.faster), "faster", ""),
        (len(diff.renamed), "renamed or moved", ""),
        (len(diff.added), "added", ""),
        (len(diff.removed), "removed", ""),
        (len(diff.not_run), "not run", ""),
        (diff.same, "as before", ""),
    ]
    line = Text()
    for number, words, style in parts:
        if number:
            line.append(", " if line else "").append(f"{number} {words}", style)
    return line or Text("no tests in either run")


def _section(title: str, changes: Sequence[TestChange], limit: int, style: str) -> Iterator[Text]:
    if not changes:
        return
    yield Text()
    yield Text(f"{title} ({len(changes)})", "bold")
    for change in changes[: limit or None]:
        yield _change_line(change, style)
        if change.error is not None:
            yield from error_line(change.error)
    yield from more_line(len(changes), limit)


def _change_line(change: TestChange, style: str) -> Text:
    state = change.after or change.before or ""
    line = Text("  ").append(state_word(state).upper().ljust(7), style).append(f" {inert_line(change.id)}")
    if change.before is not None and change.after is not None and change.before != change.after:
        line.append(f"  (was {state_word(change.before)})", "dim")
    if change.old_id is not None:
        line.append(f"  (was called {inert_line(change.old_id)})", "dim")
    return line


def error_line(error: ErrorInfo) -> Iterator[Text]:
    """Place, type and first line of an error, indented; nothing when nothing is known."""
    message = shortened(inert_line((error.message or "").strip().partition("\n")[0]), _MESSAGE_MAX)
    kind = inert_line(error.type or "")
    if kind and message.startswith(kind):
        kind = ""
    where = f"{inert_line(error.file)}:{error.line}" if error.file and error.line is not None else ""
    text = ": ".join(part for part in (where, kind, message) if part)
    if text:
        yield Text(f"          {text}", "dim")


def more_line(number: int, limit: int) -> Iterator[Text]:
    """How many of so many are left out by a limit."""
    if limit and number > limit:
        yield Text(f"  ... and {number - limit} more (--limit 0 shows all)", "dim")


def _times(title: str, changes: Sequence[TimeChange], diff: RunDiff, limit: int) -> Iterator[Text]:
    if not changes:
        return
    yield Text()
    yield Text(f"{title} ({len(changes)})", "bold")
    method = diff.times
    floor = f"{duration(method.floor_ms)} and {percent(method.floor_share)}"
    yield Text(
        f"  {floor} or more from the median of its passes in the last {method.passes} runs, beyond their noise", "dim"
    )
    yield Text(f"  ({method.test}; {method.correction} at {method.false_share:g})", "dim")
    if method.run_factor != 1:
        yield Text(f"  the whole run took {method.run_factor:.2f} times as long, which is taken out", "dim")
    for change in changes[: limit or None]:
        usual = f"{duration(change.usual_ms)} -> {duration(change.now_ms)}"
        line = Text(f"  {usual:>20}  {inert_line(change.id)}")
        yield line.append(f"  ({abs(change.score):.0f} times its noise in {plural(change.passes, 'run')})", "dim")
    yield from more_line(len(changes), limit)


def _renamed(diff: RunDiff, limit: int) -> Iterator[Text]:
    if not diff.renamed:
        return
    yield Text()
    yield Text(f"Renamed or moved ({len(diff.renamed)})", "bold")
    for rename in diff.renamed[: limit or None]:
        sure = f", {rename.confidence:.0%} sure" if rename.confidence < 1 else ""
        line = Text(f"  {inert_line(rename.old)} -> {inert_line(rename.new)}")
        yield line.append(f"  ({inert_line(rename.evidence)}{sure})", "dim")
    yield from more_line(len(diff.renamed), limit)
    yield Text(
        "  `semantest alias list` shows which are kept; `semantest alias add OLD NEW` and `remove` decide", "dim"
    )


def _numbers(title: str, words: Iterable[str]) -> Iterator[Text]:
    """How many tests of each kind; which they are tells ``--json``."""
    kinds = Counter(words)
    if not kinds:
        return
    yield Text()
    yield Text(f"{title} ({sum(kinds.values())})", "bold")
    for kind, number in kinds.most_common():
        yield Text(f"  {plural(number, 'test')}: {inert_line(kind)}")


def _word(state: str | None) -> str:
    return state_word(state or "not_run")

"""Quarantine for people and for programs: the shapes of ``semantest quarantine ... --json``, and the lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from semantest_recorder.core.quarantine_standing import ENOUGH_RUNS, Standing
from semantest_recorder.core.quarantine_suggestion import Suggestion
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Public
from semantest_recorder.reports.wording import plural

if TYPE_CHECKING:
    from rich.text import Text

QUARANTINE_SCHEMA: Final = 1
_STYLES = {"holds": "", "passing": "green", "unmatched": "yellow", "expired": "bold red"}


class ListedEntry(Public):
    """An entry today.

    ``status``: ``holds``, ``expired``, ``unmatched`` (no test falls under it) or ``passing`` (needless). ``expires`` is
    the last day on which it protects. ``tests`` are those that fall under it, ``null`` when no run of the whole suite
    is known; the other numbers count their results in the last runs.
    """

    test: str
    reason: str
    owner: str
    expires: str
    days_left: int
    issue: str | None
    added: str | None
    status: str
    tests: list[str] | None
    runs: int
    passed: int
    failed: int
    flaky: int


class QuarantineListing(Public, kw_only=True):
    """What ``semantest quarantine list --json`` prints. ``run``: the last one of the whole suite."""

    schema: int = QUARANTINE_SCHEMA
    file: str
    today: str
    run: str | None
    entries: list[ListedEntry]


class QuarantineCheck(Public, kw_only=True):
    """What ``semantest quarantine check --json`` prints: ``problems`` fail the check, ``notes`` do not."""

    schema: int = QUARANTINE_SCHEMA
    file: str
    today: str
    run: str | None
    ok: bool
    entries: int
    problems: list[str]
    notes: list[str]


class SuggestedEntry(Public):
    """A test that was flaky in ``flaky_runs`` of ``runs``, and the entry that it would have."""

    test: str
    reason: str
    owner: str
    expires: str
    flaky_runs: int
    runs: int


class QuarantineSuggestions(Public, kw_only=True):
    """What ``semantest quarantine suggest --json`` prints, the flakiest first."""

    schema: int = QUARANTINE_SCHEMA
    file: str
    suggestions: list[SuggestedEntry]


def suggested(one: Suggestion) -> SuggestedEntry:
    """The public shape of a suggestion."""
    entry = one.entry
    return SuggestedEntry(
        entry.test, entry.reason, entry.owner, entry.expires.isoformat(), flaky_runs=one.flaky_runs, runs=one.runs
    )


def listed(standing: Standing) -> ListedEntry:
    """The public shape of an entry."""
    entry = standing.entry
    return ListedEntry(
        test=entry.test,
        reason=entry.reason,
        owner=entry.owner,
        expires=entry.expires.isoformat(),
        days_left=standing.days_left,
        issue=entry.issue or None,
        added=entry.added.isoformat() if entry.added is not None else None,
        status=standing.status,
        tests=standing.tests,
        runs=standing.runs,
        passed=standing.passed,
        failed=standing.failed,
        flaky=standing.flaky,
    )


def entry_lines(entries: Sequence[ListedEntry]) -> Iterator[Text]:
    """Two lines for each entry: which test and until when; why, who, and how its tests did."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    for entry in entries:
        line = Text(inert_line(entry.test), "bold")
        yield line.append(f"  {_until(entry)}", _STYLES[entry.status])
        issue = f", {entry.issue}" if entry.issue else ""
        yield Text(inert_line(f"  {entry.reason} ({entry.owner}{issue})"))
        yield Text(f"  {_record(entry)}", "dim")


def _until(entry: ListedEntry) -> str:
    if entry.status == "expired":
        return f"EXPIRED on {entry.expires}: a failure counts"
    left = "ends today" if entry.days_left == 0 else f"{plural(entry.days_left, 'day')} left"
    return f"until {entry.expires}, {left}"


def _record(entry: ListedEntry) -> str:
    """How its tests did, and what follows."""
    if entry.tests is None:
        return "no run of the whole suite is recorded"
    if not entry.tests:
        return "no test falls under it: take it out, or correct its name"
    tests = "" if entry.tests == [entry.test] else f"{plural(len(entry.tests), 'test')}, "
    if not entry.runs:
        return f"{tests}not run lately"
    counts = [f"{number} {word}" for word in ("passed", "flaky", "failed") if (number := getattr(entry, word))]
    over = f": passed in all of {ENOUGH_RUNS} runs or more, take it out" if entry.status == "passing" else ""
    return f"{tests}last {plural(entry.runs, 'run')}: {', '.join(counts) or 'always skipped'}{over}"

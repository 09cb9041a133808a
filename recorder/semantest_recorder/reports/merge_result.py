"""What a merge came to: its public shape and its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Counts, Public
from semantest_recorder.reports.wording import count_words, plural, run_state_words

MERGE_SCHEMA = 1


class MergedSource(Public):
    """One source: how many ``events`` of it were new, and why it was refused, if it was."""

    source: str
    run: str
    events: int
    refused: str | None = None


class MergedRun(Public):
    """One run after the merge; ``expected``: of how many sessions it is to be, 0 when nobody says so.

    ``quarantined``: how many tests are in a bad state that does not count; ``shards_missing`` of ``shard_count`` shards
    did not come.
    """

    run: str
    state: str
    gaps: int
    sessions: int
    expected: int
    counts: Counts
    quarantined: int
    shard_count: int = 0
    shards_missing: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether no session is missing, as far as anybody knows."""
        return self.sessions >= self.expected


class MergeResult(Public, kw_only=True):
    """What ``semantest merge --json`` prints; ``problems``: what of the places could not be read."""

    schema: int = MERGE_SCHEMA
    directory: str
    dry_run: bool
    sources: list[MergedSource]
    runs: list[MergedRun]
    problems: list[str]
    attachments: int
    removed: list[str]
    kept: list[str]


def merge_lines(result: MergeResult) -> Iterator[str]:
    """What was taken, what was not, and how the runs stand."""
    taken = [source for source in result.sources if source.refused is None]
    new = [source for source in taken if source.events]
    events = sum(source.events for source in new)
    did = "would take" if result.dry_run else "took"
    if new:
        runs = len({source.run for source in new})
        into = f"into {plural(runs, 'run')}"
        yield f"{did} {plural(events, 'event')} of {plural(len(new), 'source')} {into}{_known(len(taken) - len(new))}"
    elif taken:
        yield f"nothing is new: all of {plural(len(taken), 'source')} is here already"
    if result.attachments:
        yield f"copied {plural(result.attachments, 'attachment')}"
    for run in result.runs:
        yield inert_line(_run_line(run))
    if result.removed:
        yield inert_line(f"removed {plural(len(result.removed), 'original')}: {_named(result.removed)}")
    if result.kept:
        yield inert_line(f"not removed, for they still run: {_named(result.kept)}")


def _known(number: int) -> str:
    return f"; {plural(number, 'source')} were here already" if number else ""


def _run_line(run: MergedRun) -> str:
    shards = (run.shard_count, run.shards_missing)
    state = run_state_words(run.state, run.gaps, run.counts.total, run.quarantined, shards=shards)
    sessions = plural(run.sessions, "session")
    if not run.is_complete:
        sessions = f"{run.sessions} of {plural(run.expected, 'session')}, {run.expected - run.sessions} MISSING"
    return f"run {run.run}: {state}, {sessions}, {count_words(run.counts)}"


def _named(runs: Sequence[str]) -> str:
    more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
    return f"{', '.join(runs[:5])}{more}"

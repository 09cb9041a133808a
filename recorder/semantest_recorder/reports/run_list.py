"""The list of runs: its public shape and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import field

from semantest_recorder.core.rerun_chain import rerun_of
from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import run_head
from semantest_recorder.reports.checkout import run_checkout, run_commit_words
from semantest_recorder.reports.columns import columns
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, RunHead
from semantest_recorder.reports.wording import (
    count_word,
    count_words,
    day_and_minute,
    duration,
    moment,
    nonzero,
    run_names,
    run_state_words,
    shard_words,
    state_so_far,
)

if TYPE_CHECKING:
    from rich.text import Text

_HEADINGS = ("run", "started", "state", "took", "tests", "branch")
_RIGHT = ("took",)


class RunSummary(RunHead):
    """One line of ``semantest runs``. ``gaps`` counts records that cannot be read; such a run is never green.

    ``rerun_of``: the runs of which it ran what they owed. ``subject``: the first line of the commit's message.
    """

    planned: int
    gaps: int
    quarantined: int
    branch: str | None
    commit: str | None
    labels: dict[str, str]
    counts: Counts
    left_out: int = 0
    rerun_of: list[str] = field(default_factory=list)
    subject: str | None = None
    author: str | None = None


class RunList(msgspec.Struct, kw_only=True):
    """What ``semantest runs --json`` prints, newest run first."""

    schema: int = REPORT_SCHEMA
    runs: list[RunSummary]


class RunPage(RunList, kw_only=True):
    """Some runs; ``next``: the cursor of the page behind, null on the last one."""

    next: str | None = None


class RunFacts(msgspec.Struct, kw_only=True):
    """One run: head, counts, branch, commit and labels."""

    schema: int = REPORT_SCHEMA
    run: RunSummary


def run_summary(run: RunRow, counts: Counts) -> RunSummary:
    """One run with its counts."""
    branch, commit = run_checkout(run)
    subject, author = run_commit_words(run)
    return RunSummary(
        **run_head(run),
        planned=run.planned,
        gaps=run.gaps,
        quarantined=run.quarantined,
        left_out=run.left_out,
        branch=branch,
        commit=commit,
        labels=run.labels,
        counts=counts,
        rerun_of=list(rerun_of(run.facts)),
        subject=subject,
        author=author,
    )


def run_lines(runs: list[RunSummary], width: int | None) -> list[Text]:
    """The list in columns, so that it can be cut with the usual tools; as narrow as it can be where it must be.

    The id is always whole: it is there to be copied. For want of room the branch is left out, and the counts are cut.
    """
    wide = columns(_HEADINGS, [_wide(run) for run in runs], _RIGHT)
    if width is None or _broadest(wide) <= width:
        return wide
    cells = [_narrow(run) for run in runs]
    narrow = columns(_HEADINGS, cells, _RIGHT)
    if _broadest(narrow) > width:
        narrow = columns(_HEADINGS[:-1], [row[:-1] for row in cells], _RIGHT)
    longest_id = max(row[0].cell_len for row in cells)
    for line in narrow:
        line.truncate(max(width, longest_id + 2), overflow="ellipsis")
    return narrow


def _broadest(lines: list[Text]) -> int:
    return max(line.cell_len for line in lines)


def _wide(run: RunSummary) -> list[Text]:
    return _cells(
        run,
        moment(run.started_ms),
        run_state_words(
            run.state,
            run.gaps,
            run.counts.total,
            run.quarantined,
            run.left_out,
            (run.shard_count, run.shards_missing),
        ),
        count_words(run.counts) + (f"; reruns {run_names(run.rerun_of)}" if run.rerun_of else ""),
    )


def _narrow(run: RunSummary) -> list[Text]:
    counts = ", ".join(count_word(state, number) for state, number in nonzero(run.counts))
    counts += f" ({run.quarantined} in quarantine)" if run.quarantined else ""
    counts += f" ({shard_words(run.shard_count, run.shards_missing)})" if run.shards_missing else ""
    counts = f"rerun: {counts or 'no tests'}" if run.rerun_of else counts or "no tests"
    return _cells(run, day_and_minute(run.started_ms), state_so_far(run.state, run.shards_missing), counts)


def _cells(run: RunSummary, started: str, state: str, counts: str) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    from semantest_recorder.reports.attempt_lines import run_style  # noqa: PLC0415

    return [
        Text(inert_line(run.id)),
        Text(started),
        Text(inert_line(state), run_style(run.state, run.shards_missing)),
        Text(duration(run.duration_ms)),
        Text(counts),
        Text(inert_line(run.branch or "")),
    ]

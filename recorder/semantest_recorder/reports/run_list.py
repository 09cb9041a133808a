"""The list of runs: its public shape and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import run_head
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, RunHead

if TYPE_CHECKING:
    from rich.table import Table


class RunSummary(RunHead):
    """One line of ``semantest runs``. ``gaps`` counts records that cannot be read; such a run is never green."""

    planned: int
    gaps: int
    branch: str | None
    commit: str | None
    labels: dict[str, str]
    counts: Counts


class RunList(msgspec.Struct, kw_only=True):
    """What ``semantest runs --json`` prints, newest run first."""

    schema: int = REPORT_SCHEMA
    runs: list[RunSummary]


def run_summary(run: RunRow, counts: Counts) -> RunSummary:
    """One run with its counts."""
    git = run.context.get("git")
    branch, commit = (git.get("branch"), git.get("commit")) if isinstance(git, dict) else (None, None)
    return RunSummary(
        **run_head(run),
        planned=run.planned,
        gaps=run.gaps,
        branch=branch if isinstance(branch, str) else None,
        commit=commit if isinstance(commit, str) else None,
        labels=run.labels,
        counts=counts,
    )


def run_table(runs: list[RunSummary]) -> Table:
    """The list as a table without lines, so that it can be cut with the usual tools."""
    from rich.table import Table  # noqa: PLC0415 - JSON output does without rich
    from rich.text import Text  # noqa: PLC0415

    from semantest_recorder.reports.attempt_lines import STYLES  # noqa: PLC0415
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415
    from semantest_recorder.reports.wording import count_words, duration, moment, run_state_words  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "started", "state", "took", "tests", "branch"):
        table.add_column(heading, justify="right" if heading == "took" else "left", overflow="fold")
    for run in runs:
        table.add_row(
            Text(inert_line(run.id)),
            Text(moment(run.started_ms)),
            Text(inert_line(run_state_words(run.state, run.gaps)), STYLES.get(run.state, "")),
            Text(duration(run.duration_ms)),
            Text(count_words(run.counts)),
            Text(inert_line(run.branch or "")),
        )
    return table

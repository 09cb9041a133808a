"""The list of runs: its public shape and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from semantest_recorder.core.rows import RunRow
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.report import REPORT_SCHEMA, Counts, Public

if TYPE_CHECKING:
    from rich.table import Table


class RunSummary(Public):
    """One line of ``semantest runs``. ``gaps`` counts records that cannot be read; such a run is never green."""

    id: str
    name: str | None
    state: str
    exit_code: int | None
    started_at: str | None
    started_ms: float | None
    ended_at: str | None
    ended_ms: float | None
    duration_ms: float | None
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
        id=run.id,
        name=run.name,
        state=run.state,
        exit_code=run.exit_code,
        started_at=iso_time(run.started_ms),
        started_ms=run.started_ms,
        ended_at=iso_time(run.ended_ms),
        ended_ms=run.ended_ms,
        duration_ms=max(0.0, run.ended_ms - run.started_ms) if run.ended_ms and run.started_ms else None,
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

"""What a cleanup deletes: its public shape and its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from semantest_recorder.core.retention import Policy, StoredRun
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import moment, plural, size

if TYPE_CHECKING:
    from rich.text import Text

_SHOWN = 50


class Done(msgspec.Struct, rename="camel"):
    """What was deleted; ``kept``: runs of which something came after the plan was made."""

    deleted: list[str]
    kept: list[str]
    bytes_before: int
    bytes_after: int
    artifacts: int
    artifact_bytes: int


class Plan(msgspec.Struct, rename="camel", kw_only=True):
    """What ``semantest cleanup --json`` prints; ``runs`` are those that go, ``done`` is null in a dry run.

    ``artifacts``: attachments that go whatever happens to the runs, since no run names them.
    """

    schema: int = 1
    directory: str
    dry_run: bool
    policy: Policy
    per: str | None
    stored: int
    runs: list[StoredRun]
    bytes: int
    artifacts: int = 0
    artifact_bytes: int = 0
    done: Done | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to delete."""
        return not self.runs and not self.artifacts


def plan_lines(plan: Plan) -> list[Text]:
    """The runs that go, oldest first, and what they take together."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    unnamed = f"{plural(plan.artifacts, 'attachment')} of no run, {size(plan.artifact_bytes)}"
    if not plan.runs:
        stay = f"{plural(plan.stored, 'run')} may stay."
        return [Text(f"{unnamed}; {stay}" if plan.artifacts else f"Nothing to delete: {stay}")]
    what = f"{len(plan.runs)} of {plural(plan.stored, 'run')}, about {size(plan.bytes)}"
    if plan.artifacts:
        what = f"{what}; {unnamed}"
    shown = plan.runs[:_SHOWN]
    rows = [("run", "started", "state", "size", plan.per or ""), *(_cells(run) for run in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [Text(_line(row, widths), "bold" if number == 0 else "") for number, row in enumerate(rows)]
    if len(plan.runs) > len(shown):
        lines.append(Text(f"... and {len(plan.runs) - len(shown)} more; --json lists all"))
    return [*lines, Text(what)]


def done_line(done: Done) -> str:
    """What was done, in one line."""
    parts = [f"deleted {plural(len(done.deleted), 'run')}"]
    if done.kept:
        parts.append(f"kept {plural(len(done.kept), 'run')} of which something came meanwhile")
    if done.artifacts:
        parts.append(f"{plural(done.artifacts, 'attachment')} of {size(done.artifact_bytes)}")
    went = f"the database went from {size(done.bytes_before)} to {size(done.bytes_after)}"
    if done.bytes_after > done.bytes_before:
        went += ": with a log of changes, which is emptied once nobody reads or writes"
    return f"{', '.join(parts)}; {went}"


def _cells(run: StoredRun) -> tuple[str, ...]:
    return (inert_line(run.id), moment(run.since_ms), inert_line(run.state), size(run.bytes), inert_line(run.group))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if column == 3 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()

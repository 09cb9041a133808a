"""The list of aliases: its public shape and its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from semantest_recorder.core.analysis.identity import Alias
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import REPORT_SCHEMA, Public
from semantest_recorder.reports.wording import moment

if TYPE_CHECKING:
    from rich.text import Text


class AliasInfo(Public):
    """One alias. ``state``: detected, added or removed; ``evidence``, ``confidence`` and ``run`` of a detected one."""

    old: str
    new: str
    state: str
    since_at: str | None
    since_ms: float
    evidence: str
    confidence: float | None
    run: str | None


class AliasList(msgspec.Struct, kw_only=True):
    """What ``semantest alias list --json`` prints, oldest first."""

    schema: int = REPORT_SCHEMA
    aliases: list[AliasInfo]


def alias_list(aliases: Iterable[Alias]) -> AliasList:
    """The public shape."""
    return AliasList(
        aliases=[
            AliasInfo(
                old=alias.old,
                new=alias.new,
                state=alias.state,
                since_at=iso_time(alias.since_ms),
                since_ms=alias.since_ms,
                evidence=alias.evidence,
                confidence=alias.confidence,
                run=alias.run,
            )
            for alias in aliases
        ]
    )


def alias_lines(found: AliasList) -> Iterator[Text]:
    """Two lines for each: the names, and who says so since when."""
    from rich.text import Text  # noqa: PLC0415 - JSON output does without rich

    for alias in found.aliases:
        yield Text(f"{inert_line(alias.old)} -> ").append(inert_line(alias.new), "bold")
        words = {"added": "added by hand", "removed": "removed by hand: two tests"}.get(alias.state, "detected")
        because = (
            f": {inert_line(alias.evidence)} ({alias.confidence:.0%} sure)"
            if alias.state == "detected" and alias.confidence is not None
            else ""
        )
        run = f", in run {inert_line(alias.run)}" if alias.state == "detected" and alias.run else ""
        yield Text(f"  {inert_line(words)}{because}{run}, {moment(alias.since_ms)}", "dim")
